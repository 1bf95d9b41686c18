// SPDX-License-Identifier: MIT
// A list of the API, page by page. The first page is live; what was added by "Show more" is as it was then.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Fault, get, type Overview, type Page, type Parameters } from './api'
import { localTime } from './format'
import { refused, useLive } from './live'
import { Shown } from './parts'
import { t } from './texts'

interface Props<T> {
  path: string
  parameters?: Parameters
  headers?: Record<string, string>
  id: (item: T) => string
  children: (item: T) => ComponentChildren
}

export function List<T>({ path, parameters = {}, headers = {}, id, children }: Props<T>) {
  const of = JSON.stringify([path, parameters, headers])
  const load = (cursor: string | null, signal?: AbortSignal) => get<Page<T>>(path, { ...parameters, cursor }, signal, headers)
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
              <p class="empty">{t('none')}</p>
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

// Only what is before a time, of the browser's zone. While a year is being typed it has fewer digits.
export function Until({ value, onChange }: { value?: string; onChange?: (value: string) => void }) {
  function change(event: { currentTarget: HTMLInputElement }) {
    const given = event.currentTarget.value
    if (onChange && (!given || Date.parse(given) > 0)) onChange(given && new Date(given).toISOString())
  }
  return (
    <label class="field">
      <span>{t('until')}</span>
      <input type="datetime-local" name="until" defaultValue={value && localTime(value)} onChange={change} />
    </label>
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
