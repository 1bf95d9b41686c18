// SPDX-License-Identifier: MIT
// A list that is searched by one of several names of a thing. No address of the page names a recipient: it has the keyed hash.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { get, type Fault, type Page } from './api'
import type { Query } from './filters'
import { Choices, Period } from './list'
import { refused } from './live'
import { Coded } from './parts'
import { to } from './route'
import { t, word, type Key } from './texts'

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
  const nameField = useRef<HTMLSelectElement>(null)
  const textField = useRef<HTMLInputElement>(null)
  useEffect(() => {
    nameField.current!.value = by
    textField.current!.value = query[by] ?? ''
  }, [by, query[parameterOf(by)]]) // a form that is made anew would lose the focus

  async function search(event: SubmitEvent) {
    event.preventDefault()
    setSaid(undefined)
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const [name, text] = ['by', 'text'].map((field) => String(form.get(field)).trim()) as [string, string]
    if (!text && name === by && by === 'recipient') return // the number is not in the field, only its hash in the address
    const given = { ...query, ...Object.fromEntries(names.map((other) => [parameterOf(other), ''])) }
    try {
      const value = text && name === 'recipient' ? await findHash(props, text) : text
      if (value === undefined) return setSaid({ of, text: t(`find.none.${page}` as Key) })
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
      <Choices label={t('filter.search')}>
        <div class="filters">
          {filters}
          <Period page={page} query={query} />
        </div>
        <form class="filters" onSubmit={search}>
          <label class="field">
            <span>{t('find')}</span>
            <select name="by" ref={nameField}>
              {names.map((name) => (
                <option value={name}>{word('find', name)}</option>
              ))}
            </select>
          </label>
          <label class="field wide">
            <span>{t('find.text')}</span>
            <input
              name="text"
              ref={textField}
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
      </Choices>
      {said?.of === of ? (
        <p class="empty" role="status">
          <Coded of={said.text} />
        </p>
      ) : (
        children
      )}
    </>
  )
}
