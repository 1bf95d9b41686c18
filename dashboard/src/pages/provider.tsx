// SPDX-License-Identifier: MIT
// One provider: its state, a day of receipts, what its codes said, and its endpoints.
import { get, type CodeStats, type EndpointNow, type Overview, type ProviderNow, type Stats, type Traffic } from '../api'
import { Bars } from '../chart'
import { CodeTable } from '../codes'
import type { Query } from '../filters'
import { number, upToThousand } from '../format'
import { IncidentRow } from '../incident'
import { useLive } from '../live'
import { Badge, Coded, Fact, Facts, Head, Joined, NotFound, Shown, Time, useServerNow, Words } from '../parts'
import { hasCalled, isOfPeople, lastReports, sum, watchedBy } from '../reports'
import { to } from '../route'
import { t, word } from '../texts'
import { dayBefore, incidentsOf, ProviderState, useOverview } from './overview'

const HOUR_MS = 3_600_000
const HOURS = 24
const FAILED = ['failed', 'recipient_fault', 'account_fault', 'rejected', 'expired']

// The hours, the one that is not over among them.
function daySince(now: number): number {
  return Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS
}

function trafficOf(stats: Stats, since: number): Traffic {
  const count = (outcomes: string[]) => {
    const hours = new Array<number>(HOURS).fill(0)
    for (const row of stats.deliveries) {
      const hour = Math.floor((Date.parse(row.begins) - since) / HOUR_MS)
      if (outcomes.includes(row.outcome) && hour >= 0 && hour < HOURS) hours[hour]! += row.records
    }
    return hours
  }
  return {
    since: new Date(since).toISOString(),
    step_s: 3600,
    accepted: count(['accepted']),
    delivered: count(['delivered']),
    failed: count(FAILED),
  }
}

function Numbers({ of }: { of: Traffic }) {
  const hours = of.delivered.map((_, i) => i).reverse()
  return (
    <details>
      <summary>{t('provider.numbers')}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('column.hour')}</th>
            <th scope="col" class="number">
              {t('column.accepted')}
            </th>
            <th scope="col" class="number">
              {t('column.delivered')}
            </th>
            <th scope="col" class="number">
              {t('column.failed')}
            </th>
          </tr>
        </thead>
        <tbody>
          {hours.map((i) => (
            <tr>
              <th scope="row">
                <Time of={Date.parse(of.since) + i * HOUR_MS} as="clock" />
              </th>
              <td class="number">{number(of.accepted[i]!)}</td>
              <td class="number">{number(of.delivered[i]!)}</td>
              <td class="number">{number(of.failed[i]!)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

function Day({ provider }: { provider: string }) {
  const since = () => daySince(Date.now())
  const live = useLive(`day of ${provider}`, (signal) =>
    get<Stats>('stats', { provider, step: 'hour', since: new Date(since()).toISOString() }, signal),
  )
  return (
    <section>
      <h2>{t('provider.day')}</h2>
      <Shown live={live}>
        {(stats) => {
          const traffic = trafficOf(stats, since())
          const [delivered, failed] = [sum(traffic.delivered), sum(traffic.failed)]
          return (
            <div class="card">
              <Bars {...traffic} axes height={200} label={t('provider.chart', { provider, hours: HOURS, delivered, failed })} />
              <p class="legend small">
                <span class="key delivered">{t('provider.delivered', { n: delivered })}</span>
                <span class="key failed">{t('provider.failed', { n: failed })}</span>
              </p>
              <Numbers of={traffic} />
            </div>
          )
        }}
      </Shown>
    </section>
  )
}

// All steps of it together: what fails first, and of that the most records.
function added(stats: CodeStats): CodeStats['codes'] {
  const rows = new Map<string, CodeStats['codes'][number]>()
  for (const row of stats.codes) {
    const id = JSON.stringify([row.channel, row.code, row.outcome])
    const known = rows.get(id)
    if (known) known.records += row.records
    else rows.set(id, { ...row })
  }
  const isBad = (row: CodeStats['codes'][number]) => Number(toneOfOutcome(row.outcome) === 'bad')
  return [...rows.values()].sort((a, b) => isBad(b) - isBad(a) || b.records - a.records)
}

const RECEIPTS = ['delivered', 'failed', 'recipient_fault', 'account_fault', 'unconfirmed', 'rejected']
const toneOfOutcome = (outcome: string) => (outcome === 'delivered' ? 'ok' : outcome === 'unconfirmed' ? 'idle' : 'bad')

const messagesWith = (provider: string, outcome: string, code: string) =>
  to(['messages'], { provider, status: outcome === 'unconfirmed' ? 'PENDING' : 'DEAD_LETTER', code })

function Codes({ provider }: { provider: string }) {
  const live = useLive(`codes of ${provider}`, (signal) =>
    get<CodeStats>('stats/codes', { provider, step: 'day', since: new Date(daySince(Date.now())).toISOString() }, signal),
  )
  return (
    <section>
      <h2>{t('provider.codes')}</h2>
      <Shown live={live}>
        {(stats) => {
          const rows = added(stats).filter((row) => RECEIPTS.includes(row.outcome))
          if (!rows.length)
            return (
              <p class="empty">
                <Coded of={t('provider.codes.none')} />
              </p>
            )
          return (
            <CodeTable
              channels
              of={rows.map(({ code, outcome, reason, channel, records }) => ({
                code,
                href: code && outcome !== 'delivered' ? messagesWith(provider, outcome, code) : undefined,
                outcome: { tone: toneOfOutcome(outcome), text: word('outcome', outcome) },
                reason,
                channel,
                records,
              }))}
            />
          )
        }}
      </Shown>
    </section>
  )
}

function EndpointState({ of }: { of: EndpointNow }) {
  if (!of.healthy) return <Badge tone="bad">{t('endpoint.incident')}</Badge>
  return hasCalled(of) ? <Badge tone="ok">{t('state.ok')}</Badge> : <Badge tone="idle">{t('state.idle')}</Badge>
}

function Endpoints({ of, now }: { of: ProviderNow; now: number }) {
  return (
    <section>
      <h2>{t('provider.endpoints')}</h2>
      {!of.endpoints.length && (
        <p class="empty">
          <Coded of={t('provider.endpoints.none')} />
        </p>
      )}
      <ul class="rows">
        {of.endpoints.map((endpoint) => (
          <li class="row">
            <EndpointState of={endpoint} />
            <span class="grow">
              <strong class="id">{endpoint.endpoint}</strong>
              <span class="muted">
                <Joined
                  of={[
                    t('endpoint.calls', { n: endpoint.calls }),
                    endpoint.refused && t('endpoint.refused', { n: endpoint.refused }),
                    endpoint.failed && t('endpoint.failed', { n: endpoint.failed }),
                    ...lastReports(endpoint, now),
                  ]}
                />
              </span>
              {(endpoint.silence ? watchedBy(endpoint.silence, now) : [t('provider.unwatched')]).map((text) => (
                <span class="muted">{text}</span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Messages({ of, now }: { of: ProviderNow; now: number }) {
  const link = (n: number, query: Query) => <a href={to(['messages'], { provider: of.provider, ...query })}>{upToThousand(n)}</a>
  return (
    <>
      <Fact name={t('provider.waiting')}>
        {link(of.pending, { status: 'PENDING' })}
        {of.oldest_pending_at && (
          <span class="muted">
            {' · '}
            <Words of="provider.oldest" values={{ time: <Time of={of.oldest_pending_at} now={now} /> }} />
          </span>
        )}
      </Fact>
      <Fact name={t('provider.overdue')}>{link(of.overdue, { overdue: 'yes' })}</Fact>
      <Fact name={t('provider.dead')}>{link(of.dead_letters, { status: 'DEAD_LETTER', since: dayBefore(now) })}</Fact>
    </>
  )
}

function View({ overview, of, now }: { overview: Overview; of: ProviderNow; now: number }) {
  const incidents = incidentsOf(overview, of)
  const ago = (at: string | null) => at && <Time of={at} now={now} as="ago" />
  return (
    <>
      {isOfPeople(of) && <p class="lead">{t('provider.of_people')}</p>}
      <Facts>
        <Fact name={t('provider.last')}>{ago(of.last_receipt_at) ?? (isOfPeople(of) ? null : t('provider.no_receipt'))}</Fact>
        <Fact name={t('provider.other')}>{ago(of.last_other_at)}</Fact>
        <Fact name={t('provider.answer')}>{ago(of.last_answer_at)}</Fact>
        {!isOfPeople(of) && <Messages of={of} now={now} />}
      </Facts>
      {incidents.length > 0 && (
        <section>
          <h2>{t('incidents.open')}</h2>
          <ul class="rows">
            {incidents.map((incident) => (
              <li key={incident.incident_id}>
                <IncidentRow of={incident} now={now} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {!isOfPeople(of) && (
        <>
          <Day provider={of.provider} />
          <Codes provider={of.provider} />
        </>
      )}
      <Endpoints of={of} now={now} />
      <p class="buttons">
        {of.has_contacts && (
          <a class="button" href={to(['contacts'], { provider: of.provider })}>
            {t('provider.contacts')}
          </a>
        )}
        <a class="button" href={to(['alerts'], { provider: of.provider })}>
          {t('provider.alerts')}
        </a>
        <a class="button" href={to(['incidents'], { provider: of.provider })}>
          {t('provider.incidents')}
        </a>
      </p>
    </>
  )
}

// It may appear at any time, so the overview is asked for again.
function None({ name, overview }: { name: string; overview: Overview }) {
  return (
    <NotFound text={t('none.provider', { id: name })} why={['none.provider.new', 'none.provider.other']}>
      <a class="button" href={to([])}>
        {t('nav.overview')}
      </a>
      {overview.providers.map(({ provider }) => (
        <a key={provider} class="button" href={to(['providers', provider])}>
          {provider}
        </a>
      ))}
    </NotFound>
  )
}

export function ProviderPage({ name }: { name: string }) {
  const live = useOverview()
  const now = useServerNow(live.value?.at, live.at)
  const known = live.value?.providers.find((provider) => provider.provider === name)
  return (
    <>
      <Head up="overview" title={t('title.provider', { id: name })}>
        {known && <ProviderState of={known} incidents={incidentsOf(live.value!, known)} />}
      </Head>
      <Shown live={live}>
        {(overview) => (known ? <View overview={overview} of={known} now={now} /> : <None name={name} overview={overview} />)}
      </Shown>
    </>
  )
}
