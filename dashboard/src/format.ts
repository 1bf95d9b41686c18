// SPDX-License-Identifier: MIT
// Numbers, times and durations as people read them, in the browser's time zone.
import { currentLanguage, t } from './texts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export function duration(ms: number): string {
  if (ms < MINUTE) return t('unit.s', { n: Math.max(0, Math.floor(ms / SECOND)) })
  if (ms < HOUR) return t('unit.min', { n: Math.floor(ms / MINUTE) })
  if (ms >= 2 * DAY) return t('unit.d', { n: Math.floor(ms / DAY) })
  const n = Math.floor(ms / HOUR)
  const m = Math.floor((ms % HOUR) / MINUTE)
  return m ? t('unit.h.min', { n, m }) : t('unit.h', { n })
}

export function ago(time: string, now: number): string {
  const ms = now - Date.parse(time)
  return ms < SECOND ? t('unit.now') : t('ago', { duration: duration(ms) })
}

const form = (options: Intl.DateTimeFormatOptions, time: string | number) =>
  new Intl.DateTimeFormat(currentLanguage(), { hourCycle: 'h23', ...options }).format(new Date(time))

// A day of another year is told with its year.
const dayOf = (time: string | number): Intl.DateTimeFormatOptions => ({
  year: new Date(time).getFullYear() === new Date().getFullYear() ? undefined : 'numeric',
  month: 'short',
  day: 'numeric',
})

export const clock = (time: string | number) => form({ hour: '2-digit', minute: '2-digit' }, time)
export const day = (time: string | number) => form({ year: 'numeric', month: 'short', day: 'numeric' }, time)
export const exact = (time: string | number) =>
  form({ ...dayOf(time), hour: '2-digit', minute: '2-digit', second: '2-digit' }, time)

// As an input of type datetime-local has it; empty if it is no time.
export function localTime(time: string): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * MINUTE).toISOString().slice(0, 16)
}

// The time of day; also the day, if it is another one.
export function moment(time: string, now: number): string {
  const same = new Date(time).toDateString() === new Date(now).toDateString()
  return same ? clock(time) : form({ ...dayOf(time), hour: '2-digit', minute: '2-digit' }, time)
}

export const number = (n: number) => n.toLocaleString(currentLanguage())
// The API counts to a thousand.
export const upToThousand = (n: number) => (n >= 1000 ? t('thousand') : number(n))
