// SPDX-License-Identifier: MIT
// One message's story: what was said about it, in the order of time, and what is still to come.
import type { ComponentChildren } from 'preact'
import { kindOf, toneOfAlert } from '../alert'
import { encode, get, type Notification, type Story } from '../api'
import { duration } from '../format'
import { useLive, useNow } from '../live'
import { Fact, Facts, Head, Icon, MessageState, NotFound, Raw, Shown, Time, type Tone } from '../parts'
import { to } from '../route'
import { t, word } from '../texts'

interface Event {
  at: string
  tone: Tone | 'info'
  title: string
  detail?: ComponentChildren
  raw?: ComponentChildren
  coming?: boolean
}

const tones: Record<string, Tone> = { delivered: 'ok', failed: 'bad', account_fault: 'bad', unconfirmed: 'idle' }

function eventsOf(story: Story, now: number): Event[] {
  const { status, outcome, due_at, expires_at } = story.notification
  const rejected = outcome === 'rejected'
  const events: Event[] = story.acceptances.map((acceptance) => ({
    at: acceptance.accepted_at,
    tone: rejected ? 'bad' : 'info',
    title: t(rejected ? 'outcome.rejected' : 'story.accepted'),
    detail: rejected ? undefined : t('story.accepted.detail'),
    raw: <Raw of={acceptance.registration} summary={t('story.registered')} />,
  }))
  for (const receipt of story.receipts)
    events.push({
      at: receipt.received_at,
      tone: tones[receipt.outcome] ?? 'info',
      title: `${t('story.receipt')}: ${word('outcome', receipt.outcome)}`,
      detail: (
        <>
          <code>{receipt.code}</code> {receipt.reason}
          <span class="muted">
            {' '}
            · {receipt.endpoint ? t('story.receipt.by', { endpoint: receipt.endpoint }) : t('story.receipt.asked')}
          </span>
        </>
      ),
      raw: <Raw of={receipt.element} summary={t('story.raw')} />,
    })
  for (const alert of story.alerts)
    events.push({
      at: alert.raised_at,
      tone: toneOfAlert(alert),
      title: `${t('story.alert')}: ${word('alert', kindOf(alert))}`,
      detail: <span class="muted">{t(alert.published ? 'story.alert.published' : 'story.alert.waiting')}</span>,
      raw: <Raw of={alert.data} summary={alert.type} />,
    })
  if (status === 'PENDING' && due_at) {
    const past = Date.parse(due_at) < now
    events.push({ at: due_at, tone: past ? 'warn' : 'idle', title: t(past ? 'story.due.past' : 'story.due'), coming: !past })
  }
  if (status === 'PENDING' && expires_at) events.push({ at: expires_at, tone: 'idle', title: t('story.expires'), coming: true })
  return events.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)) // stable: of the same time, in the order above
}

function Timeline({ of }: { of: Event[] }) {
  return (
    <ol class="timeline">
      {of.map((event, i) => {
        const before = of[i - 1]
        const gap = before ? Date.parse(event.at) - Date.parse(before.at) : 0
        return (
          <li class={`${event.tone}${event.coming ? ' coming' : ''}`}>
            <Icon tone={event.tone} />
            <div>
              <p class="muted small">
                <Time of={event.at} as="exact" />
                {gap >= 1000 && ` · +${duration(gap)}`}
              </p>
              <h3>{event.title}</h3>
              {event.detail && <p>{event.detail}</p>}
              {event.raw}
            </div>
          </li>
        )
      })}
    </ol>
  )
}

function About({ of }: { of: Notification }) {
  return (
    <Facts>
      <Fact name={t('story.provider')}>
        <a href={to(['providers', of.provider])}>{of.provider}</a>
      </Fact>
      <Fact name={t('story.channel')}>{of.channel}</Fact>
      <Fact name={t('story.recipient')}>{of.recipient}</Fact>
      <Fact name={t('story.reference')}>{of.reference && <a href={to(['messages'], { reference: of.reference })}>{of.reference}</a>}</Fact>
      <Fact name={t('story.code')}>
        {of.code && (
          <>
            <code>{of.code}</code> {of.reason}
          </>
        )}
      </Fact>
    </Facts>
  )
}

function View({ of, now }: { of: Story; now: number }) {
  const message = of.notification
  return (
    <>
      <About of={message} />
      {message.contradicted_by && (
        <p class="note warn">
          <Icon tone="warn" />
          <span>{t('story.contradicted', { code: message.contradicted_by })}</span>
        </p>
      )}
      <section>
        <h2>{t('story')}</h2>
        <Timeline of={eventsOf(of, now)} />
        {of.truncated && <p class="muted">{t('story.truncated')}</p>}
      </section>
      {message.recipient_hash && (
        <p class="buttons">
          <a class="button" href={to(['messages'], { recipient_hash: message.recipient_hash })}>
            {t('story.same_recipient')}
          </a>
          <a class="button" href={to(['contacts'], { recipient_hash: message.recipient_hash })}>
            {t('story.contacts')}
          </a>
        </p>
      )}
    </>
  )
}

export function MessagePage({ provider, id }: { provider: string; id: string }) {
  const path = `notifications/${encode(provider)}/${encode(id)}`
  const live = useLive(path, (signal) => get<Story>(path, {}, signal))
  const now = useNow()
  const none = (
    <NotFound
      text={t('none.message', { provider, id })}
      why={['none.message.new', 'none.message.never', 'none.message.old']}
      again={live.again}
    >
      <a class="button" href={to(['messages'], { id })}>
        {t('none.find.id')}
      </a>
      <a class="button" href={to(['messages'], { reference: id })}>
        {t('none.find.reference')}
      </a>
    </NotFound>
  )
  return (
    <>
      <Head up="messages" title={t('title.message', { provider, id })} id={id}>
        {live.value && <MessageState of={live.value.notification} now={now} />}
      </Head>
      <Shown live={live} none={none}>
        {(story) => <View of={story} now={now} />}
      </Shown>
    </>
  )
}
