// SPDX-License-Identifier: MIT
// An alert in words of the reader's language, and the place of what it is about.
import type { Alert, Incident } from './api'
import { codesText, headline, sentence, whoOf } from './incident'
import { Badge, Icon, Time, type Tone } from './parts'
import { to } from './route'
import { t, word } from './texts'

// dochak.notification.dead_lettered.v1: the third word.
export const kindOf = (alert: Alert) => alert.type.split('.')[2] ?? alert.type

const tones: Record<string, Tone> = {
  recovered: 'ok',
  restored: 'ok',
  overdue: 'warn',
  slow: 'warn',
  at_risk: 'warn',
  quarantined: 'warn',
  consent_withdrawn: 'idle',
}
export const toneOfAlert = (alert: Alert): Tone => tones[kindOf(alert)] ?? 'bad'

// Of its data, which is null where it is very long.
function text(alert: Alert, name: string): string | null {
  const value = alert.data?.[name]
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null
}

const incidentOf = (alert: Alert) => (alert.data?.incident_id ? (alert.data as unknown as Incident) : null)

// undefined: there is no page of it.
function placeOf(alert: Alert): string | undefined {
  const { provider, subject } = alert
  const incident = incidentOf(alert)
  if (incident) return to(['incidents', incident.incident_id])
  if (alert.type.startsWith('dochak.payload.')) return to(['quarantine'], { provider })
  if (!provider || !subject) return undefined
  if (alert.type.startsWith('dochak.notification.')) return to(['messages', provider, subject])
  if (alert.type.startsWith('dochak.contact.')) return to(['contacts', provider, subject])
  return undefined
}

interface Said {
  title: string
  about: (string | null)[]
  why?: string | null // what the provider or dochak said, as it was said
}

function saidBy(alert: Alert): Said {
  const incident = incidentOf(alert)
  const of = (name: string) => text(alert, name)
  if (incident?.status === 'closed')
    return { title: whoOf(incident), about: [`${t('alert.restored')}: ${word('kind', incident.kind)}`], why: codesText(incident) }
  if (incident) return { title: headline(incident), about: [sentence(incident)], why: codesText(incident) }
  const about = [alert.provider, of('channel'), of('recipient'), of('phone'), of('email'), of('reference')]
  switch (kindOf(alert)) {
    case 'quarantined':
      return { title: of('endpoint') ?? alert.provider ?? t('quarantine.unknown'), about: [], why: of('reason') }
    case 'lost':
      return {
        title: t('alerts.lost', { n: Number(of('count') ?? 0) }),
        about: [
          of('topic'),
          t('quarantine.place', { partition: of('partition') ?? '', offset: `${of('first_offset')}–${of('last_offset')}` }),
        ],
      }
    case 'consent_withdrawn':
      return { title: alert.subject ?? '', about, why: of('consent') }
  }
  const reason = of('reason') ?? (of('outcome') ? word('outcome', of('outcome')!) : null)
  return { title: alert.subject ?? word('alert', kindOf(alert)), about, why: [of('code'), reason].filter(Boolean).join(' ') }
}

export function AlertRow({ of, now }: { of: Alert; now: number }) {
  const { title, about, why } = saidBy(of)
  const href = placeOf(of)
  const content = (
    <>
      <Badge tone={toneOfAlert(of)}>{word('kind', kindOf(of))}</Badge>
      <span class="grow">
        <strong>{title}</strong>
        <span class="muted">{about.filter(Boolean).join(' · ')}</span>
        {why && <span class="codes">{why}</span>}
      </span>
      <span class="when">
        <Time of={of.raised_at} now={now} />
        {!of.published && <span class="muted">{t('story.alert.waiting')}</span>}
      </span>
    </>
  )
  return href ? (
    <a class="row" href={href}>
      {content}
      <Icon tone="next" />
    </a>
  ) : (
    <div class="row">{content}</div>
  )
}
