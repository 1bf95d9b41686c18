// SPDX-License-Identifier: MIT
// A list that is searched by one of several names of a thing. No address of the page names a recipient: it has the keyed hash.
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { get, type Fault, type Page } from './api'
import { Until } from './list'
import { refused } from './live'
import { setterOf, to } from './route'
import { t, word } from './texts'

type Query = Record<string, string>

interface Props<T> {
  page: string
  path: string // of the API
  query: Query
  names: string[] // what may be searched by: parameters of the API, and recipient
  hashOf: (item: T, recipient: string) => string | null
  filters: ComponentChildren
  children: ComponentChildren // the list
}

const parameterOf = (name: string) => (name === 'recipient' ? 'recipient_hash' : name)

// undefined: nothing is found.
async function findHash<T>({ path, hashOf }: Props<T>, recipient: string): Promise<string | undefined> {
  if (!/^[\x20-\x7e]+$/.test(recipient)) return undefined // nothing else can be in a header
  const { items } = await get<Page<T>>(path, { limit: 1 }, undefined, { 'Dochak-Recipient': recipient })
  return (items[0] && hashOf(items[0], recipient)) ?? undefined
}

export function Search<T>(props: Props<T>) {
  const { page, query, names, filters, children } = props
  const [said, setSaid] = useState<{ of: string; text: string }>() // in place of the list
  const of = JSON.stringify(query)
  const by = names.find((name) => query[parameterOf(name)]) ?? names[0]!

  async function search(event: SubmitEvent) {
    event.preventDefault()
    setSaid(undefined)
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const [name, text] = ['by', 'text'].map((field) => String(form.get(field)).trim()) as [string, string]
    if (!text && name === by && by === 'recipient') return // the number is not in the field, only its hash in the address
    const given = { ...query, ...Object.fromEntries(names.map((other) => [parameterOf(other), ''])) }
    try {
      const value = text && name === 'recipient' ? await findHash(props, text) : text
      if (value === undefined) return setSaid({ of, text: t('none') })
      location.hash = to([page], { ...given, [parameterOf(name)]: value })
    } catch (error) {
      if (!refused(error)) setSaid({ of, text: (error as Fault).detail || t('fault.0') })
    }
  }

  function reset(form: HTMLFormElement) {
    form.reset()
    setSaid(undefined)
  }

  return (
    <>
      <div class="filters">
        {filters}
        <Until value={query.until} onChange={setterOf(page, query)('until')} />
      </div>
      <form class="filters" onSubmit={search} key={`${by} ${query[by]}`}>
        <label class="field">
          <span>{t('find')}</span>
          <select name="by">
            {names.map((name) => (
              <option value={name} selected={name === by}>
                {word('find', name)}
              </option>
            ))}
          </select>
        </label>
        <label class="field wide">
          <span>{t('find.text')}</span>
          <input
            name="text"
            defaultValue={query[by] ?? ''}
            placeholder={query.recipient_hash && t('find.same')}
            maxLength={255}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <div class="buttons">
          <button type="submit">{t('find.search')}</button>
          <a class="button" href={to([page])} onClick={(event) => reset(event.currentTarget.closest('form')!)}>
            {t('find.reset')}
          </a>
        </div>
      </form>
      {said?.of === of ? (
        <p class="empty" role="status">
          {said.text}
        </p>
      ) : (
        children
      )}
    </>
  )
}
