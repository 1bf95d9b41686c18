// SPDX-License-Identifier: MIT
// What came from a provider, and what watches its silence. Its webhook may bring receipts or something else, such as contacts; its
// messages may be registered or not; and what it said may have been asked for.
import type { ComponentChildren } from 'preact'
import type { EndpointNow, ProviderNow } from './api'
import { duration } from './format'
import { Time, Words } from './parts'
import { t, type Key } from './texts'

export const sum = (list: number[]) => list.reduce((all, n) => all + n, 0)

export const hasCalled = (of: ProviderNow | EndpointNow) => !!(of.last_receipt_at ?? of.last_other_at)

// Where messages wait, other calls do not show that their receipts come.
export const lacksReceipts = (of: ProviderNow) => !of.last_receipt_at && of.pending > 0
export const hasReported = (of: ProviderNow) => hasCalled(of) && !lacksReceipts(of)

// What counts messages says nothing about it.
export const isOfPeople = (of: ProviderNow) =>
  of.has_contacts &&
  !of.last_receipt_at &&
  !of.pending &&
  !of.dead_letters &&
  !sum([of.traffic.accepted, of.traffic.delivered, of.traffic.failed].flat())

export function stateOf(of: ProviderNow): Key {
  if (hasReported(of)) return 'state.ok'
  return of.last_answer_at ? 'state.asked' : lacksReceipts(of) ? 'state.no_receipt' : 'state.idle'
}

const isThere = (part: ComponentChildren) => !!part

const lastOf = (key: Key, at: string | null, now: number): ComponentChildren =>
  at && <Words of={key} values={{ ago: <Time of={at} now={now} as="ago" /> }} />

// What came last: a receipt if there was any.
export function lastReports(of: ProviderNow | EndpointNow, now: number): ComponentChildren[] {
  if (of.last_receipt_at) return [lastOf('provider.last_receipt', of.last_receipt_at, now)]
  const answer = 'last_answer_at' in of ? of.last_answer_at : null
  return [lastOf('provider.last_other', of.last_other_at, now), lastOf('provider.last_answer', answer, now)].filter(isThere)
}

type Silence = NonNullable<EndpointNow['silence']>

function byRhythm({ standing, speaks_from, horizon }: Silence, now: number): ComponentChildren {
  if (horizon) return <Words of="provider.horizon" values={{ time: <Time of={horizon} now={now} /> }} />
  if (standing === 'registered') return t('provider.registered')
  if (standing === 'irregular') return t('provider.irregular')
  return speaks_from && <Words of="provider.learning" values={{ time: <Time of={speaks_from} now={now} /> }} />
}

function byFloor({ standing, floor }: Silence): ComponentChildren {
  if (floor) return t('provider.floor', { n: floor.calls, duration: duration(floor.within_s * 1000) })
  return (standing === 'learning' || standing === 'irregular') && t('provider.unnoticed')
}

// What notices that an endpoint falls silent.
export const watchedBy = (of: Silence, now: number): ComponentChildren[] => [byRhythm(of, now), byFloor(of)].filter(isThere)

// The same in one line.
export const noticedBy = (of: Silence, now: number): ComponentChildren => (of.floor && !of.horizon ? byFloor(of) : byRhythm(of, now))

// Of several endpoints the one at which it would be noticed first.
export function soonest(endpoints: EndpointNow[]): Silence | undefined {
  const rank = ({ horizon, floor, standing }: Silence) => (horizon ? 0 : floor ? 1 : standing === 'registered' ? 2 : 3)
  return endpoints
    .flatMap(({ silence }) => silence ?? [])
    .sort((a, b) => rank(a) - rank(b) || (a.horizon ?? '').localeCompare(b.horizon ?? ''))[0]
}
