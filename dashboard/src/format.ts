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

export function ago(time: string | number, now: number): string {
  const ms = now - new Date(time).getTime()
  return ms < SECOND ? t('unit.now') : t('ago', { duration: duration(ms) })
}

// ---- the zone ----

// How far the browser's zone is from UTC at a time: UTC+9.
export function offset(time: string | number = Date.now()): string {
  const ahead = -new Date(time).getTimezoneOffset()
  const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60]
  return ahead ? `UTC${ahead < 0 ? '-' : '+'}${hours}${minutes ? `:${String(minutes).padStart(2, '0')}` : ''}` : 'UTC'
}

// "Asia/Seoul, UTC+9": the name does not change with the season.
export function zone(): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone
  return [name, offset()].filter((part, i, all) => part && all.indexOf(part) === i).join(', ')
}

export const utc = (time: string | number) => new Date(time).toISOString().replace('T', ' ').replace('Z', ' UTC')

// ---- times ----

const form = (options: Intl.DateTimeFormatOptions, time: string | number) =>
  new Intl.DateTimeFormat(currentLanguage(), { hourCycle: 'h23', ...options }).format(new Date(time))

// The page says the offset of today. A time with another one, in summer perhaps, says so itself.
const zoned = (options: Intl.DateTimeFormatOptions, time: string | number, always = false) =>
  `${form(options, time)}${always || offset(time) !== offset() ? ` ${offset(time)}` : ''}`

// A day of another year is told with its year.
const dayOf = (time: string | number): Intl.DateTimeFormatOptions => ({
  year: new Date(time).getFullYear() === new Date().getFullYear() ? undefined : 'numeric',
  month: 'short',
  day: 'numeric',
})

const MINUTES: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }
const SECONDS: Intl.DateTimeFormatOptions = { ...MINUTES, second: '2-digit' }

export const clock = (time: string | number) => zoned(MINUTES, time)
export const day = (time: string | number) => form({ year: 'numeric', month: 'short', day: 'numeric' }, time)
export const exact = (time: string | number) => zoned({ ...dayOf(time), ...SECONDS }, time)
// Where it is read without the page: in the title of a tab, or in the name of what is chosen.
export const exactWithZone = (time: string | number) => zoned({ ...dayOf(time), ...SECONDS }, time, true)

// As an input of type datetime-local has it; empty if it is no time.
export function localTime(time = ''): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * MINUTE).toISOString().slice(0, 16)
}

// The time of day; also the day, if it is another one.
export function moment(time: string | number, now: number): string {
  const same = new Date(time).toDateString() === new Date(now).toDateString()
  return same ? clock(time) : zoned({ ...dayOf(time), ...MINUTES }, time)
}

export const number = (n: number) => n.toLocaleString(currentLanguage())
// The API counts to a thousand.
export const upToThousand = (n: number) => (n >= 1000 ? t('thousand') : number(n))
