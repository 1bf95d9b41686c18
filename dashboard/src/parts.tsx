// SPDX-License-Identifier: MIT
// What several pages are made of.
import type { ComponentChildren } from 'preact'
import type { Fault, Notification } from './api'
import { ago, clock, day, exact, moment, utc } from './format'
import { isFinal, useNow, useTitle, type Live } from './live'
import { focusContent, to } from './route'
import { pieces, t, type Key } from './texts'

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

type Form = 'moment' | 'ago' | 'exact' | 'clock' | 'day'
const forms: Record<Form, (time: string | number, now: number) => string> = { moment, ago, exact, clock, day }

// In the browser's zone, which the head of the page names; in UTC for whoever points at it.
export function Time({ of, now = Date.now(), as = 'moment' }: { of: string | number; now?: number; as?: Form }) {
  return (
    <time dateTime={new Date(of).toISOString()} title={utc(of)}>
      {forms[as](of, now)}
    </time>
  )
}

// A text with something else than text in it, such as a time.
export function Words({ of, values }: { of: Key; values: Record<string, ComponentChildren> }) {
  return <>{pieces(of, values)}</>
}

// What there is of it, on one line.
export function Joined({ of }: { of: ComponentChildren[] }) {
  return <>{of.filter(Boolean).map((part, i) => (i ? [' · ', part] : part))}</>
}

const tones = { PENDING: 'idle', SENT: 'ok', DEAD_LETTER: 'bad' } as const

export const isLate = (of: Notification, now: number) => of.status === 'PENDING' && !!of.due_at && Date.parse(of.due_at) < now

export function MessageState({ of, now }: { of: Notification; now: number }) {
  const late = isLate(of, now)
  return <Badge tone={late ? 'warn' : tones[of.status]}>{late ? t('message.overdue') : t(`message.${of.status}`)}</Badge>
}

// What is asked for, or why it is not there. Of a processor that does not answer the frame says so, once (outage.tsx).
export function Shown<T>({ live, none, children }: { live: Live<T>; none?: ComponentChildren; children: (value: T) => ComponentChildren }) {
  const { value, fault } = live
  if (fault?.status === 404 && isFinal(fault) && none) return <>{none}</>
  return (
    <>
      {fault?.detail && <FaultNote of={fault} />}
      {value !== undefined ? children(value) : fault ? null : <p class="loading">{t('live.loading')} …</p>}
    </>
  )
}

function FaultNote({ of }: { of: Fault }) {
  return (
    <div class="note warn" role="alert">
      <Icon tone="warn" />
      <div>
        <p>
          {t('fault.other', { status: String(of.status) })} <span lang="en">{of.detail}</span>
        </p>
        <p>{isFinal(of) ? t('fault.final') : <Coded of={t('fault.retry')} />}</p>
      </div>
    </div>
  )
}

// What stands between backticks is a command or a setting.
export function Coded({ of }: { of: string }) {
  return <>{of.split('`').map((part, i) => (i % 2 ? <code>{part}</code> : part))}</>
}

interface HeadProps {
  up: string
  title: string
  id?: string // what the title ends with
  tab?: string // the title of the tab, where it is another one
  children?: ComponentChildren
}

// The head of the page of one thing: where it belongs, which one it is, how it is.
export function Head({ up, title, id = '', tab = title, children }: HeadProps) {
  useTitle(tab)
  return (
    <>
      <p class="crumbs">
        <a href={to(up === 'overview' ? [] : [up])}>{t(`nav.${up}` as Key)}</a>
      </p>
      <div class="title">
        <h1>
          {title.slice(0, title.length - id.length)}
          {id && <span class="id">{id}</span>}
        </h1>
        {children}
      </div>
    </>
  )
}

// Why a thing may not be there, and where to go on.
export function NotFound({ text, why, again, children }: { text: string; why: Key[]; again?: () => void; children?: ComponentChildren }) {
  return (
    <>
      <div class="note warn" role="alert">
        <Icon tone="warn" />
        <p>
          {text} {again && t('none.stopped')}
        </p>
      </div>
      <section>
        <h2>{t('none.why')}</h2>
        <ul class="reasons">
          {why.map((key) => (
            <li>
              <Coded of={t(key)} />
            </li>
          ))}
        </ul>
      </section>
      <p class="buttons">
        {again && <button onClick={() => (again(), focusContent())}>{t('none.again')}</button>}
        {children}
      </p>
    </>
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
