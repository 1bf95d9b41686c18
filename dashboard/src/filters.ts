// SPDX-License-Identifier: MIT
// What is chosen of a list, in words: its heading says so, and a list that is empty by it.
import { exactWithZone } from './format'
import { to } from './route'
import { hasWord, t, word, type Key } from './texts'

export type Query = Record<string, string>

export interface Filter {
  name: string
  label: string
  value: string
  without: string // the address of the list without it
}

const labels: Record<string, Key> = {
  provider: 'incidents.provider',
  status: 'incidents.status',
  overdue: 'incidents.status',
  kind: 'incidents.kind',
  redriven: 'quarantine.redriven',
  reference: 'find.reference',
  recipient_hash: 'find.recipient',
  id: 'find.id',
  code: 'find.code',
  consent_given: 'contacts.consent',
  consent_withdrawn: 'contacts.consent',
}

const groups: Record<string, string> = {
  'messages status': 'message',
  'contacts status': 'contact',
  'incidents status': 'status',
  'incidents kind': 'kind',
  'alerts kind': 'alert',
  'quarantine redriven': 'quarantine',
}

function valueOf(page: string, name: string, value: string): string {
  const group = groups[`${page} ${name}`]
  if (group) return word(group, value)
  switch (name) {
    case 'overdue':
      return t('message.overdue')
    case 'recipient_hash':
      return t('find.same')
    case 'since':
    case 'until':
      return Number.isNaN(Date.parse(value)) ? value : exactWithZone(value)
    case 'consent_given':
      return `${value}: ${t('consent.given')}`
    case 'consent_withdrawn':
      return `${value}: ${t('consent.withdrawn')}`
  }
  return value
}

export type PeriodName = 'since' | 'until'
const isTime = (name: string): name is PeriodName => name === 'since' || name === 'until'

// An incident has several times.
export const periodLabel = (page: string, name: PeriodName) => word('period', hasWord('period', `${name}.${page}`) ? `${name}.${page}` : name)

export function filtersOf(page: string, query: Query): Filter[] {
  return Object.entries(query)
    .filter(([, value]) => value)
    .map(([name, value]) => ({
      name,
      label: isTime(name) ? periodLabel(page, name) : labels[name] ? t(labels[name]) : name,
      value: valueOf(page, name, value),
      without: to([page], { ...query, [name]: '' }),
    }))
}

// "Messages: bizgo, Not arrived, since Jan 12, 11:00:00 UTC+9"
export function listTitle(page: string, query: Query): string {
  const chosen = filtersOf(page, query).map(({ name, value }) => (isTime(name) ? t(`title.${name}`, { time: value }) : value))
  return [t(`nav.${page}` as Key), chosen.join(', ')].filter(Boolean).join(': ')
}
