// SPDX-License-Identifier: MIT
// The first view: one sentence, then each provider, our own door, and what is open.
import type { ComponentChildren } from 'preact'
import { get, type EndpointNow, type Incident, type Overview, type ProviderNow } from '../api'
import { Bars } from '../chart'
import { duration, number, upToThousand } from '../format'
import { codesText, headline, IncidentRow, sentence, toneOf } from '../incident'
import { useLive, useTitle } from '../live'
import { Coded, Icon, Joined, Shown, Time, useServerNow, Words, type Tone } from '../parts'
import { hasReported, isOfPeople, lastReports, noticedBy, soonest, stateOf, sum } from '../reports'
import { to } from '../route'
import { t, word } from '../texts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 86_400_000
const BLIND_MS = 30 * SECOND // the watch looks every second
const OLD_CALL_MS = 180 * SECOND // of the front door, which is called once a minute
const BEHIND_MS = 30 * SECOND

const total = (list: EndpointNow[], name: 'calls' | 'refused') => sum(list.map((endpoint) => endpoint[name]))

// By the times of the answer, which may be the last one for a while.
const isBlind = ({ at, watch }: Overview) => !watch || Date.parse(at) - Date.parse(watch.looked_at) > BLIND_MS
// null: nobody knows how far.
const behindMs = ({ watch }: Overview) => (watch?.known_until ? Date.parse(watch.looked_at) - Date.parse(watch.known_until) : null)

export const useOverview = () => useLive('overview', (signal) => get<Overview>('overview', {}, signal))

// ---- the sentence ----

function verdict(overview: Overview): { tone: Tone; title: string; detail: string; since?: string; href?: string } {
  const [first, ...others] = [...overview.incidents].sort((a, b) => Number(toneOf(b) === 'bad') - Number(toneOf(a) === 'bad'))
  if (first) {
    const codes = codesText(first)
    return {
      tone: toneOf(first),
      title: others.length ? t('verdict.many', { n: overview.incidents.length }) : headline(first),
      detail: others.length ? overview.incidents.map(headline).join(' · ') : codes ? `${sentence(first)} ${codes}` : sentence(first),
      since: others.length ? undefined : first.since,
      href: others.length ? to(['incidents'], { status: 'open' }) : to(['incidents', first.incident_id]),
    }
  }
  if (isBlind(overview)) return { tone: 'warn', title: t('verdict.blind'), detail: t('verdict.blind.detail') }
  const behind = behindMs(overview)
  if (behind === null || behind > BEHIND_MS) return { tone: 'warn', title: t('verdict.behind'), detail: t('verdict.behind.detail') }
  const overdue = sum(overview.providers.map((provider) => provider.overdue))
  if (overdue) {
    const href = to(['messages'], { overdue: 'yes' })
    return { tone: 'ok', title: t('verdict.ok'), detail: t('verdict.overdue', { n: overdue }), href }
  }
  const quiet = overview.providers.filter((provider) => !hasReported(provider)).length
  if (quiet === overview.providers.length) return { tone: 'idle', title: t('verdict.idle'), detail: t('verdict.idle.detail') }
  return { tone: 'ok', title: t('verdict.ok'), detail: quiet ? t('verdict.quiet', { n: quiet }) : t('verdict.ok.detail') }
}

function Since({ of, now }: { of: string; now: number }) {
  return (
    <>
      <Words of="since" values={{ time: <Time of={of} now={now} /> }} /> · {t('incident.for', { duration: duration(now - Date.parse(of)) })}
    </>
  )
}

function Verdict({ of, now, live }: { of: Overview; now: number; live: boolean }) {
  const { tone, title, detail, since, href } = verdict(of)
  const shown = live ? tone : 'idle' // nobody knows whether it still is so
  return (
    <section class={`verdict ${shown}`}>
      <Icon tone={shown} />
      <div>
        <div role="status">
          <h1>{href ? <a href={href}>{title}</a> : title}</h1>
          <p>
            <Coded of={detail} />
          </p>
        </div>
        <p class="since">
          {since && (
            <span>
              <Since of={since} now={now} />
            </span>
          )}
          {live ? (
            <span class="live">{t('live')}</span>
          ) : (
            <span>
              <Words of="live.stale" values={{ time: <Time of={of.at} as="exact" /> }} />
            </span>
          )}
        </p>
      </div>
    </section>
  )
}

// ---- a provider ----

const worst = (incidents: Incident[]) => incidents.find((incident) => toneOf(incident) === 'bad') ?? incidents[0]

export function incidentsOf(overview: Overview, provider: ProviderNow): Incident[] {
  const names = provider.endpoints.map((endpoint) => endpoint.endpoint)
  return overview.incidents.filter(
    (incident) => incident.provider === provider.provider || (!!incident.endpoint && names.includes(incident.endpoint)),
  )
}

const urgency: Record<Tone, number> = { bad: 0, warn: 1, ok: 2, idle: 2 }
const byUrgency = (overview: Overview) => (a: ProviderNow, b: ProviderNow) =>
  urgency[toneOfProvider(a, worst(incidentsOf(overview, a)))] - urgency[toneOfProvider(b, worst(incidentsOf(overview, b)))]

const toneOfProvider = (of: ProviderNow, incident?: Incident): Tone => (incident ? toneOf(incident) : hasReported(of) ? 'ok' : 'idle')

function Silence({ of, now }: { of: EndpointNow[]; now: number }) {
  const silence = soonest(of)
  const said = silence && noticedBy(silence, now)
  return said ? <p class="muted small">{said}</p> : null
}

// Nothing is wrong with it that is known.
function WhatCame({ of, now }: { of: ProviderNow; now: number }) {
  const last = lastReports(of, now)
  return (
    <p class="what muted">
      {last.length ? (
        <Joined of={last} />
      ) : of.endpoints.length ? (
        t('endpoint.calls', { n: total(of.endpoints, 'calls') })
      ) : (
        t('provider.no_endpoint')
      )}
    </p>
  )
}

function Figure({ n, name, href, tone }: { n: number; name: string; href: string; tone?: Tone }) {
  return (
    <a class={`figure ${n && tone ? tone : ''}`} href={href}>
      <strong>{upToThousand(n)}</strong>
      <span>{name}</span>
    </a>
  )
}

export function ProviderState({ of, incidents }: { of: ProviderNow; incidents: Incident[] }) {
  const incident = worst(incidents)
  const tone = toneOfProvider(of, incident)
  return (
    <span class={`state ${tone}`}>
      <Icon tone={tone} />
      {incident ? word('state', incident.kind) : t(stateOf(of))}
    </span>
  )
}

function WhatFails({ provider, failures }: { provider: string; failures: ProviderNow['failures'] }) {
  return (
    <ul class="failures" aria-label={t('provider.failures')}>
      {failures.slice(0, 3).map(({ code, reason, outcome, records }) => (
        <li>
          <a href={to(['messages'], { provider, status: 'DEAD_LETTER', code })}>
            {code && <code>{code}</code>} {reason ?? word('outcome', outcome)}
          </a>
          <span class="muted">× {number(records)}</span>
        </li>
      ))}
    </ul>
  )
}

// To the minute: the address would change each second.
export const dayBefore = (now: number) => new Date(Math.floor(now / MINUTE) * MINUTE - DAY).toISOString()

function Figures({ of, now, hasIncident }: { of: ProviderNow; now: number; hasIncident: boolean }) {
  return (
    <div class="figures">
      <Figure n={of.pending} name={t('provider.waiting')} href={to(['messages'], { provider: of.provider, status: 'PENDING' })} />
      <Figure
        n={of.overdue}
        name={t('provider.overdue')}
        href={to(['messages'], { provider: of.provider, overdue: 'yes' })}
        tone="warn"
      />
      <Figure
        n={of.dead_letters}
        name={t('provider.dead')}
        href={to(['messages'], { provider: of.provider, status: 'DEAD_LETTER', since: dayBefore(now) })}
        tone={hasIncident ? 'bad' : undefined}
      />
    </div>
  )
}

function ProviderCard({ of, overview, now }: { of: ProviderNow; overview: Overview; now: number }) {
  const incidents = incidentsOf(overview, of)
  const incident = worst(incidents)
  const { traffic } = of
  const delivered = sum(traffic.delivered)
  const failed = sum(traffic.failed)
  const hours = Math.round((traffic.step_s * traffic.delivered.length) / 3600)
  return (
    <li class={`card provider ${toneOfProvider(of, incident)}`}>
      <header>
        <h3>
          <a href={to(['providers', of.provider])}>{of.provider}</a>
        </h3>
        <ProviderState of={of} incidents={incidents} />
      </header>
      {incident ? (
        <p class="what">
          <a href={to(['incidents', incident.incident_id])}>{sentence(incident)}</a>{' '}
          <span class="muted">
            <Since of={incident.since} now={now} />
          </span>
        </p>
      ) : (
        <WhatCame of={of} now={now} />
      )}
      {of.failures.length > 0 && <WhatFails provider={of.provider} failures={of.failures} />}
      {delivered + failed > 0 && (
        <>
          <Bars {...traffic} height={56} label={t('provider.chart', { provider: of.provider, hours, delivered, failed })} />
          <p class="legend small">
            <span class="key delivered">{t('provider.delivered', { n: delivered })}</span>
            <span class="key failed">{t('provider.failed', { n: failed })}</span>
            <span class="muted">{t('provider.span', { hours })}</span>
          </p>
        </>
      )}
      {!incident && <Silence of={of.endpoints} now={now} />}
      {isOfPeople(of) ? (
        <p class="to-contacts">
          <a href={to(['contacts'], { provider: of.provider })}>{t('provider.contacts')}</a>
        </p>
      ) : (
        <Figures of={of} now={now} hasIncident={!!incident} />
      )}
    </li>
  )
}

// ---- our own door ----

interface TileProps {
  name: string
  tone: Tone
  value: string
  detail?: ComponentChildren
  href?: string
}

function Tile({ name, tone, value, detail, href }: TileProps) {
  return (
    <li class={`tile ${tone}`}>
      <h3>{name}</h3>
      <p class="value">
        <Icon tone={tone} />
        {href ? <a href={href}>{value}</a> : value}
      </p>
      <p class="muted small">{detail}</p>
    </li>
  )
}

function FrontDoor({ of, now }: { of: Overview; now: number }) {
  const door = of.front_door
  const name = t('door.front')
  if (!door) return <Tile name={name} tone="idle" value={t('door.front.off')} detail={t('door.front.off.detail')} />
  const when = <Time of={door.called_at} now={now} as="ago" />
  if (now - Date.parse(door.called_at) > OLD_CALL_MS) return <Tile name={name} tone="warn" value={t('door.front.old')} detail={when} />
  if (door.result !== 'ok') return <Tile name={name} tone="bad" value={word('door.front', door.result)} detail={door.text || when} />
  const took = <Words of="door.front.ok.detail" values={{ ms: door.took_ms, ago: when }} />
  return <Tile name={name} tone="ok" value={t('door.front.ok')} detail={took} />
}

function Certificate({ of, now }: { of: Overview; now: number }) {
  const ends = of.front_door?.certificate_ends_at
  if (!ends) return <Tile name={t('door.certificate')} tone="idle" value={t('door.certificate.off')} />
  const n = Math.max(0, Math.floor((Date.parse(ends) - now) / DAY))
  const tone = n < 3 ? 'bad' : n < 14 ? 'warn' : 'ok'
  return (
    <Tile
      name={t('door.certificate')}
      tone={tone}
      value={t('door.certificate.days', { n })}
      detail={<Words of="door.certificate.until" values={{ time: <Time of={ends} as="day" /> }} />}
    />
  )
}

function Refusals({ of }: { of: Overview }) {
  const endpoints = of.providers.flatMap((provider) => provider.endpoints)
  const calls = total(endpoints, 'calls')
  const refused = total(endpoints, 'refused')
  const by: Record<string, number> = {}
  for (const endpoint of endpoints) for (const [check, n] of Object.entries(endpoint.refused_by)) by[check] = (by[check] ?? 0) + n
  const most = Object.entries(by).sort((a, b) => b[1] - a[1])[0]
  const incident = of.incidents.find((incident) => incident.kind === 'refusing')
  return (
    <Tile
      name={t('door.refusals')}
      tone={incident ? 'bad' : refused ? 'warn' : 'ok'}
      value={number(refused)}
      detail={most ? t('door.refusals.by', { n: refused, calls, check: most[0] }) : t('door.refusals.detail', { n: calls })}
      href={incident && to(['incidents', incident.incident_id])}
    />
  )
}

function Ingress({ of, now }: { of: Overview; now: number }) {
  const { instances, reported_at, spooled } = of.ingress
  const name = t('door.ingress')
  if (!reported_at) return <Tile name={name} tone="idle" value={t('door.ingress.never')} />
  const reported = <Words of="door.ingress.reported" values={{ ago: <Time of={reported_at} now={now} as="ago" /> }} />
  if (!instances) return <Tile name={name} tone="bad" value={t('door.ingress.none')} detail={reported} />
  return (
    <Tile
      name={name}
      tone={spooled ? 'warn' : 'ok'}
      value={t('door.ingress.running', { n: instances })}
      detail={spooled ? t('door.ingress.spooled', { n: spooled }) : reported}
    />
  )
}

function Lag({ of, now }: { of: Overview; now: number }) {
  const { watch } = of
  const name = t('door.lag')
  const looked = watch && <Words of="door.lag.looked" values={{ ago: <Time of={watch.looked_at} now={now} as="ago" /> }} />
  if (!watch || isBlind(of)) return <Tile name={name} tone="bad" value={t('door.lag.blind')} detail={looked} />
  if (watch.hidden_partitions)
    return <Tile name={name} tone="warn" value={t('door.lag.unknown')} detail={t('door.lag.hidden', { n: watch.hidden_partitions })} />
  const behind = behindMs(of)
  if (behind === null) return <Tile name={name} tone="warn" value={t('door.lag.unknown')} detail={looked} />
  if (behind > BEHIND_MS)
    return <Tile name={name} tone="warn" value={t('door.lag.behind', { duration: duration(behind) })} detail={looked} />
  return <Tile name={name} tone="ok" value={t('door.lag.ok')} detail={looked} />
}

function Quarantine({ of }: { of: Overview }) {
  const n = of.quarantined
  return (
    <Tile
      name={t('door.quarantine')}
      tone={n ? 'warn' : 'ok'}
      value={n ? t('door.quarantine.some', { n: upToThousand(n) }) : t('door.quarantine.none')}
      detail={t('door.quarantine.detail')}
      href={to(['quarantine'], { redriven: n ? 'no' : '' })}
    />
  )
}

// ---- all of it ----

function View({ of, now, live }: { of: Overview; now: number; live: boolean }) {
  return (
    <>
      <Verdict of={of} now={now} live={live} />
      <section aria-labelledby="providers">
        <h2 id="providers">{t('providers')}</h2>
        {of.providers.length ? (
          <ul class="cards">
            {[...of.providers].sort(byUrgency(of)).map((provider) => (
              <ProviderCard key={provider.provider} of={provider} overview={of} now={now} />
            ))}
          </ul>
        ) : (
          <p class="empty">
            <Coded of={t('providers.none')} />
          </p>
        )}
      </section>
      <section aria-labelledby="door">
        <h2 id="door">{t('door')}</h2>
        <ul class="tiles">
          <FrontDoor of={of} now={now} />
          <Certificate of={of} now={now} />
          <Refusals of={of} />
          <Ingress of={of} now={now} />
          <Lag of={of} now={now} />
          <Quarantine of={of} />
        </ul>
      </section>
      <section aria-labelledby="open">
        <h2 id="open">{t('incidents.open')}</h2>
        {of.incidents.length ? (
          <ul class="rows">
            {of.incidents.map((incident) => (
              <li key={incident.incident_id}>
                <IncidentRow of={incident} now={now} />
              </li>
            ))}
          </ul>
        ) : (
          <p class="empty">{t('incidents.open.none')}</p>
        )}
        <p class="small">
          <a href={to(['incidents'], { status: 'closed' })}>{t('incidents.past')}</a>
        </p>
      </section>
    </>
  )
}

export function OverviewPage() {
  const live = useOverview()
  const now = useServerNow(live.value?.at, live.at)
  useTitle(t('nav.overview')) // not the verdict, which is not asked for while another tab is in front
  return (
    <>
      {!live.value && <h1>{t('nav.overview')}</h1>}
      <Shown live={live}>{(overview) => <View of={overview} now={now} live={!live.fault} />}</Shown>
    </>
  )
}
