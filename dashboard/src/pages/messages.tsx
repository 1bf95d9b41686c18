// SPDX-License-Identifier: MIT
import type { Notification } from '../api'
import type { Query } from '../filters'
import { Search } from '../find'
import { duration } from '../format'
import { Choice, List, ListTitle, ProviderChoice } from '../list'
import { useNow } from '../live'
import { Icon, isLate, MessageState, Time } from '../parts'
import { to } from '../route'
import { t, word } from '../texts'

const STATUSES = ['PENDING', 'overdue', 'SENT', 'DEAD_LETTER']
const NAMES = ['reference', 'recipient', 'id', 'code']

export function MessageRow({ of, now }: { of: Notification; now: number }) {
  const why = of.reason ?? (of.outcome && of.outcome !== 'delivered' ? word('outcome', of.outcome) : null)
  return (
    <a class="row message" href={to(['messages', of.provider, of.notification_id])}>
      <MessageState of={of} now={now} />
      <span class="grow">
        <strong class="id">{of.notification_id}</strong>
        <span class="muted">{[of.provider, of.channel, of.recipient, of.reference].filter(Boolean).join(' · ')}</span>
        {isLate(of, now) && <span class="codes">{t('message.late', { duration: duration(now - Date.parse(of.due_at!)) })}</span>}
        {of.status !== 'SENT' && (of.code || why) && (
          <span class="codes">
            {of.code && <code>{of.code}</code>} {why}
          </span>
        )}
      </span>
      <span class="when">
        <Time of={of.first_seen_at} now={now} />
      </span>
      <Icon tone="next" />
    </a>
  )
}

// overdue: of those that are PENDING
const withStatus = (status: string): Query => (status === 'overdue' ? { status: '', overdue: 'yes' } : { status, overdue: '' })

// No index has the codes of what has arrived.
const hasNoIndex = ({ code, status, overdue }: Query) => !!code && !overdue && (!status || status === 'SENT')

export function MessagesPage({ query }: { query: Query }) {
  const now = useNow()
  const change = (given: Query) => (location.hash = to(['messages'], { ...query, ...given }))
  const asked = hasNoIndex(query) ? { ...query, status: 'DEAD_LETTER' } : query
  return (
    <>
      <ListTitle page="messages" query={asked} />
      <Search<Notification>
        page="messages"
        path="notifications"
        query={asked}
        names={NAMES}
        hashOf={(item) => item.recipient_hash}
        filters={
          <>
            <ProviderChoice value={query.provider} onChange={(provider) => change({ provider })} />
            <Choice
              name="status"
              label={t('messages.status')}
              value={asked.overdue ? 'overdue' : asked.status}
              onChange={(status) => change({ ...withStatus(status), ...(hasNoIndex({ code: 'x', status }) ? { code: '' } : {}) })}
              options={STATUSES.map((status) => [status, word('message', status)])}
            />
          </>
        }
      >
        <List<Notification>
          page="messages"
          query={query}
          path="notifications"
          parameters={asked}
          id={(item) => `${item.provider}/${item.notification_id}`}
        >
          {(item) => <MessageRow of={item} now={now} />}
        </List>
      </Search>
    </>
  )
}
