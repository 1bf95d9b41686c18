// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks'
import { get, type Notification, type Page } from '../api'
import { Choice, List, ProviderChoice } from '../list'
import { refused, useNow } from '../live'
import { Icon, MessageState, Time } from '../parts'
import { to } from '../route'
import { t, word, type Key } from '../texts'

type Query = Record<string, string>
const STATUSES = ['PENDING', 'SENT', 'DEAD_LETTER']
const BY = ['reference', 'recipient', 'id']

export function MessageRow({ of, now }: { of: Notification; now: number }) {
  const why = of.reason ?? (of.outcome && of.outcome !== 'delivered' ? word('outcome', of.outcome) : null)
  return (
    <a class="row message" href={to(['messages', of.provider, of.notification_id])}>
      <MessageState of={of} now={now} />
      <span class="grow">
        <strong class="id">{of.notification_id}</strong>
        <span class="muted">{[of.provider, of.channel, of.recipient, of.reference].filter(Boolean).join(' · ')}</span>
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

// No address names a recipient: theirs has the keyed hash.
async function hashOf(recipient: string): Promise<string | undefined> {
  if (!/^[\x20-\x7e]+$/.test(recipient)) return undefined
  const { items } = await get<Page<Notification>>('notifications', { limit: 1 }, undefined, { 'Dochak-Recipient': recipient })
  return items[0]?.recipient_hash ?? undefined
}

function Filters({ query, onNone }: { query: Query; onNone: () => void }) {
  const by = query.id ? 'id' : query.recipient_hash ? 'recipient' : 'reference'
  const go = (given: Query) => (location.hash = to(['messages'], given))
  const set = (name: string) => (value: string) => go({ ...query, [name]: value })

  async function search(event: SubmitEvent) {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const field = (name: string) => String(form.get(name) ?? '').trim()
    const [text, code] = [field('text'), field('code')]
    const given: Query = { provider: field('provider'), status: field('status'), code }
    try {
      if (text && field('by') === 'recipient') {
        const hash = await hashOf(text)
        if (!hash) return onNone()
        given.recipient_hash = hash
      } else if (text) given[field('by')] = text
      else if (by === 'recipient' && field('by') === by) given.recipient_hash = query.recipient_hash ?? ''
    } catch (error) {
      if (!refused(error)) onNone()
      return
    }
    if (code && !given.status && !text) given.status = 'DEAD_LETTER' // no index has the codes of what arrived
    go(given)
  }

  return (
    <form class="filters" onSubmit={search} key={JSON.stringify(query)}>
      <ProviderChoice value={query.provider} onChange={set('provider')} />
      <Choice
        name="status"
        label={t('messages.status')}
        value={query.status}
        onChange={set('status')}
        options={STATUSES.map((status) => [status, word('message', status)])}
      />
      <label class="field short">
        <span>{t('messages.code')}</span>
        <input name="code" defaultValue={query.code ?? ''} maxLength={255} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>{t('messages.find')}</span>
        <select name="by">
          {BY.map((name) => (
            <option value={name} selected={name === by}>
              {t(`messages.find.${name}` as Key)}
            </option>
          ))}
        </select>
      </label>
      <label class="field wide">
        <span>{t('messages.find.text')}</span>
        <input name="text" defaultValue={query.id ?? query.reference ?? ''} maxLength={255} autocomplete="off" spellcheck={false} />
      </label>
      <div class="buttons">
        <button type="submit">{t('messages.search')}</button>
        <a class="button quiet" href={to(['messages'])}>
          {t('messages.reset')}
        </a>
      </div>
    </form>
  )
}

export function MessagesPage({ query }: { query: Query }) {
  const now = useNow()
  const [none, setNone] = useState<string>() // the view in which a recipient was not found
  const view = JSON.stringify(query)
  return (
    <>
      <h1>{t('messages')}</h1>
      <Filters query={query} onNone={() => setNone(view)} />
      {none === view ? (
        <p class="empty" role="status">
          {t('none')}
        </p>
      ) : (
        <List<Notification> path="notifications" parameters={query} id={(item) => `${item.provider}/${item.notification_id}`}>
          {(item) => <MessageRow of={item} now={now} />}
        </List>
      )}
    </>
  )
}
