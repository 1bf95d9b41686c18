// SPDX-License-Identifier: MIT
import { get, type Contact, type Page } from '../api'
import { ConsentBadges, ContactState } from '../contact'
import type { Query } from '../filters'
import { Search } from '../find'
import { Choice, List, ListTitle, ProviderChoice } from '../list'
import { useLive, useNow } from '../live'
import { Icon, Time } from '../parts'
import { to } from '../route'
import { t, word } from '../texts'

const NAMES = ['recipient', 'id']
const STATUSES = ['known', 'deleted']

function ContactRow({ of, now }: { of: Contact; now: number }) {
  return (
    <a class="row" href={to(['contacts', of.provider, of.contact_id])}>
      <ContactState of={of} />
      <span class="grow">
        <strong class="id">{of.contact_id}</strong>
        <span class="muted">{[of.provider, of.phone, of.email].filter(Boolean).join(' · ')}</span>
        <ConsentBadges of={of.consents} />
      </span>
      <span class="when">
        <Time of={of.last_at} now={now} />
      </span>
      <Icon tone="next" />
    </a>
  )
}

const withConsent = (choice: string): Query => {
  const [answer, consent = ''] = choice.split(/:(.*)/)
  return { consent_given: answer === 'given' ? consent : '', consent_withdrawn: answer === 'withdrawn' ? consent : '' }
}

const choiceOf = ({ consent_given, consent_withdrawn }: Query) =>
  consent_withdrawn ? `withdrawn:${consent_withdrawn}` : consent_given ? `given:${consent_given}` : ''

const optionOf = (consent: string, answer: string): [string, string] => [`${answer}:${consent}`, `${consent}: ${word('consent', answer)}`]

// Those that the newest contacts have, and the one that is chosen.
function ConsentChoice({ query, onChange }: { query: Query; onChange: (choice: string) => void }) {
  const live = useLive('consents', (signal) => get<Page<Contact>>('contacts', { limit: 200 }, signal), true)
  const chosen = [query.consent_given, query.consent_withdrawn].filter((name) => name !== undefined)
  const names = new Set([...(live.value?.items ?? []).flatMap((contact) => Object.keys(contact.consents)), ...chosen])
  return (
    <Choice
      name="consent"
      label={t('contacts.consent')}
      value={choiceOf(query)}
      onChange={onChange}
      options={[...names].sort().flatMap((consent) => ['given', 'withdrawn'].map((answer) => optionOf(consent, answer)))}
    />
  )
}

export function ContactsPage({ query }: { query: Query }) {
  const now = useNow()
  const change = (given: Query) => (location.hash = to(['contacts'], { ...query, ...given }))
  return (
    <>
      <ListTitle page="contacts" query={query} />
      <p class="lead">{t('contacts.about')}</p>
      <Search<Contact>
        page="contacts"
        path="contacts"
        query={query}
        names={NAMES}
        hashOf={(item, recipient) => (recipient.includes('@') ? item.email_hash : item.phone_hash)}
        filters={
          <>
            <ProviderChoice value={query.provider} onChange={(provider) => change({ provider })} />
            <Choice
              name="status"
              label={t('messages.status')}
              value={query.status}
              onChange={(status) => change({ status })}
              options={STATUSES.map((status) => [status, word('contact', status)])}
            />
            <ConsentChoice query={query} onChange={(choice) => change(withConsent(choice))} />
          </>
        }
      >
        <List<Contact> page="contacts" query={query} id={(item) => `${item.provider}/${item.contact_id}`}>
          {(item) => <ContactRow of={item} now={now} />}
        </List>
      </Search>
    </>
  )
}
