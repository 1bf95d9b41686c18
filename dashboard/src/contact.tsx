// SPDX-License-Identifier: MIT
// What a provider knows of a person, as several pages show it.
import type { Contact } from './api'
import { Badge } from './parts'
import { t, word } from './texts'

export function ContactState({ of }: { of: Contact }) {
  return <Badge tone={of.status === 'deleted' ? 'idle' : 'ok'}>{word('contact', of.status)}</Badge>
}

export function ConsentBadges({ of }: { of: Contact['consents'] }) {
  return (
    <span class="consents">
      {Object.entries(of).map(([consent, given]) => (
        <Badge tone={given ? 'ok' : 'bad'}>
          {consent}: {t(given ? 'consent.given' : 'consent.withdrawn')}
        </Badge>
      ))}
    </span>
  )
}
