// SPDX-License-Identifier: MIT
// What several pages are made of.
import type { ComponentChildren } from 'preact'
import type { Notification } from './api'
import { exact, moment } from './format'
import { useNow, type Live } from './live'
import { t } from './texts'

export type Tone = 'ok' | 'bad' | 'warn' | 'idle'

const drawings: Record<Tone | 'info' | 'next', ComponentChildren> = {
  ok: <path d="M5.500 10.500l3 3 6-7" />,
  bad: <path d="M7 7l6 6M13 7l-6 6" />,
  warn: <path d="M10 5.500v5.500M10 14v.2" />,
  idle: <path d="M6.500 10h7" />,
  info: <path d="M10 9.500v5M10 6v.2" />,
  next: <path d="M8 5l5 5-5 5" />,
}

// A circle for good, an octagon for bad, a triangle for a warning: not by colour alone.
function frame(tone: keyof typeof drawings) {
  if (tone === 'bad') return <path class="frame" d="M6.700 2h6.600L18 6.700v6.600L13.300 18H6.700L2 13.300V6.700z" />
  if (tone === 'warn') return <path class="frame" d="M10 1.500l9 16.500H1z" />
  if (tone === 'next') return null
  return <circle class="frame" cx="10" cy="10" r="8.500" />
}

export function Icon({ tone }: { tone: keyof typeof drawings }) {
  return (
    <svg class={`icon ${tone}`} viewBox="0 0 20 20" aria-hidden="true">
      {frame(tone)}
      {drawings[tone]}
    </svg>
  )
}

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <Icon tone={tone} />
      {children}
    </span>
  )
}

export function Time({ of, now, long }: { of: string; now?: number; long?: boolean }) {
  return (
    <time dateTime={of} title={of}>
      {long ? exact(of) : moment(of, now ?? Date.now())}
    </time>
  )
}

const tones = { PENDING: 'idle', SENT: 'ok', DEAD_LETTER: 'bad' } as const

export const isLate = (of: Notification, now: number) => of.status === 'PENDING' && !!of.due_at && Date.parse(of.due_at) < now

export function MessageState({ of, now }: { of: Notification; now: number }) {
  const late = isLate(of, now)
  return <Badge tone={late ? 'warn' : tones[of.status]}>{late ? t('message.overdue') : t(`message.${of.status}`)}</Badge>
}

// What is asked for, or why it is not there.
export function Shown<T>({ live, children }: { live: Live<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      <Freshness live={live} />
      {live.value !== undefined ? children(live.value) : live.fault ? null : <p class="loading">{t('live.loading')} …</p>}
    </>
  )
}

function Freshness({ live }: { live: Live<unknown> }) {
  const { fault, at } = live
  if (!fault) return null
  const text =
    fault.status === 0
      ? t('fault.0')
      : fault.status === 404
        ? t('fault.404')
        : t('fault.other', { status: String(fault.status), detail: fault.detail })
  return (
    <p class="note warn" role="alert">
      <Icon tone="warn" />
      <span>
        {at ? `${t('live.stale', { time: exact(at) })}. ` : ''}
        {text} {fault.status === 404 ? '' : t('fault.retry')}
      </span>
    </p>
  )
}

export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>
}

// Nothing where there is no value.
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  if (children === null || children === undefined || children === '') return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

export function Raw({ of, summary }: { of: unknown; summary: string }) {
  return (
    <details class="raw">
      <summary>{summary}</summary>
      {of === null ? (
        <p>{t('story.raw.none')}</p>
      ) : (
        <pre tabIndex={0} role="group" aria-label={summary}>
          {JSON.stringify(of, null, 2)}
        </pre>
      )}
    </details>
  )
}

// A clock that is right where the browser's is not: the server's time of an answer, gone on since.
export function useServerNow(at?: string, receivedAt?: number): number {
  const now = useNow()
  return at && receivedAt ? Date.parse(at) + (now - receivedAt) : now
}
