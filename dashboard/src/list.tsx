// SPDX-License-Identifier: MIT
// A list of the API, page by page. The first page is live; what was added by "Show more" is as it was then.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Fault, get, type Overview, type Page } from './api'
import { filtersOf, listTitle, periodLabel, type PeriodName, type Query } from './filters'
import { localTime, offset } from './format'
import { isFinal, refused, useLive, useTitle } from './live'
import { Coded, Shown } from './parts'
import { focusContent, setterOf, to } from './route'
import { hasWord, t, word } from './texts'

interface Props<T> {
  page: string
  query: Query // what is chosen
  path?: string // of the API, where it is not the page's
  parameters?: Query // of the API, where they are not what is chosen
  id: (item: T) => string
  children: (item: T) => ComponentChildren
}

export function List<T>({ page, query, path = page, parameters = query, id, children }: Props<T>) {
  const of = JSON.stringify([path, parameters])
  const load = (cursor: string | null, signal?: AbortSignal) => get<Page<T>>(path, { ...parameters, cursor }, signal)
  const live = useLive(of, (signal) => load(null, signal))
  const [more, setMore] = useState<{ of: string; items: T[]; next: string | null; fault?: Fault }>()
  const added = more?.of === of ? more : undefined
  useEffect(() => setMore(undefined), [of])

  async function showMore(next: string) {
    try {
      const page = await load(next)
      setMore({ of, items: [...(added?.items ?? []), ...page.items], next: page.next })
    } catch (error) {
      if (!refused(error)) setMore({ of, items: added?.items ?? [], next, fault: error as Fault })
    }
  }

  if (live.fault && isFinal(live.fault))
    return (
      <>
        <Shown live={live}>{() => null}</Shown>
        <Without page={page} query={query} />
      </>
    )
  return (
    <Shown live={live}>
      {(first) => {
        const known = new Set(first.items.map(id))
        const items = [...first.items, ...(added?.items ?? []).filter((item) => !known.has(id(item)))]
        const next = added ? added.next : first.next
        return (
          <>
            {items.length ? (
              <ul class="rows">
                {items.map((item) => (
                  <li key={id(item)}>{children(item)}</li>
                ))}
              </ul>
            ) : (
              <Empty page={page} query={query} />
            )}
            {next && (
              <button class="more" onClick={() => showMore(next)}>
                {t('more')}
              </button>
            )}
            {added?.fault && <p role="alert">{added.fault.detail || t('fault.0')}</p>}
          </>
        )
      }}
    </Shown>
  )
}

export function ListTitle({ page, query }: { page: string; query: Query }) {
  const title = listTitle(page, query)
  useTitle(title)
  return <h1>{title}</h1>
}

// Each thing that is chosen, to be taken out.
function Without({ page, query }: { page: string; query: Query }) {
  const filters = filtersOf(page, query)
  return (
    <p class="buttons">
      {filters.map(({ name, label, value, without }) => (
        <a key={name} class="button" href={without} onClick={focusContent}>
          {t('filter.remove', { filter: `${label}: ${value}` })}
        </a>
      ))}
      {filters.length > 1 && (
        <a class="button" href={to([page])} onClick={focusContent}>
          {t('filter.remove.all')}
        </a>
      )}
    </p>
  )
}

// Why a list may be empty, and what to do.
function Empty({ page, query }: { page: string; query: Query }) {
  const filters = filtersOf(page, query)
  if (!filters.length)
    return (
      <p class="empty" role="status">
        <Coded of={word('empty', page)} />
      </p>
    )
  const isNever = Date.parse(query.since!) >= Date.parse(query.until!)
  const hints = filters
    .flatMap(({ name }) => [filters.length === 1 ? `only.${name}.${query[name]}` : '', `${name}.${page}`, name])
    .filter((name) => hasWord('empty.by', name))
  return (
    <>
      <div class="empty" role="status">
        <p>{isNever ? t('empty.never', { since: periodLabel(page, 'since'), until: periodLabel(page, 'until') }) : t('empty.filtered')}</p>
        {hints.map((name) => (
          <p key={name}>
            <Coded of={word('empty.by', name)} />
          </p>
        ))}
      </div>
      <Without page={page} query={query} />
    </>
  )
}

// On a phone they would fill the first screen; the heading says what is chosen.
export function Choices({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <details class="choices" open={matchMedia('(min-width: 46rem)').matches}>
      <summary>{label}</summary>
      {children}
    </details>
  )
}

export function Filters({ children }: { children: ComponentChildren }) {
  return (
    <Choices label={t('filter')}>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        {children}
      </form>
    </Choices>
  )
}

// Fields whose values are in the address, so that a view can be sent to somebody.
export function Choice({
  name,
  label,
  value,
  options,
  onChange,
}: {
  name: string
  label: string
  value?: string
  options: [string, string][]
  onChange: (value: string) => void
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select name={name} value={value ?? ''} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{t('all')}</option>
        {options.map(([option, text]) => (
          <option value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

// A time of the browser's zone. While a year is being typed it has fewer digits.
function TimeField({ page, query, name }: { page: string; query: Query; name: PeriodName }) {
  const field = useRef<HTMLInputElement>(null)
  const shown = localTime(query[name])
  useEffect(() => {
    if (field.current!.value !== shown) field.current!.value = shown // but not what is being typed
  }, [shown])
  function change({ currentTarget: { value } }: { currentTarget: HTMLInputElement }) {
    if (!value || Date.parse(value) > 0) setterOf(page, query)(name)(value && new Date(value).toISOString())
  }
  return (
    <label class="field time">
      <span>
        {periodLabel(page, name)} ({offset(shown || undefined)})
      </span>
      <input type="datetime-local" name={name} ref={field} onChange={change} />
    </label>
  )
}

// Only what is not before a time, and before another one.
export function Period(props: { page: string; query: Query }) {
  return (
    <>
      <TimeField {...props} name="since" />
      <TimeField {...props} name="until" />
    </>
  )
}

// All providers that are known, and the one that is chosen.
export function ProviderChoice({ value, onChange }: { value?: string; onChange: (value: string) => void }) {
  const live = useLive('providers', (signal) => get<Overview>('overview', {}, signal), true)
  const known = live.value?.providers.map((provider) => provider.provider) ?? []
  const names = value && !known.includes(value) ? [...known, value] : known
  return (
    <Choice
      name="provider"
      label={t('incidents.provider')}
      value={value}
      onChange={onChange}
      options={names.map((name) => [name, name])}
    />
  )
}
