// SPDX-License-Identifier: MIT
// All that the page says, in each language. English is built in; each other language is, too, as they are small.
import checksKo from './texts/checks.ko.json'
import en from './texts/en.json'
import ko from './texts/ko.json'

export type Key = keyof typeof en
export type Language = 'en' | 'ko'
const texts: Record<Language, Record<Key, string>> = { en, ko } // a missing text does not compile
export const languages = Object.keys(texts) as Language[]

const CHOSEN = 'dochak.language'

export function firstLanguage(): Language {
  const chosen = localStorage.getItem(CHOSEN) as Language
  if (languages.includes(chosen)) return chosen
  const wanted = navigator.languages.map((name) => name.slice(0, 2))
  return (wanted.find((name) => languages.includes(name as Language)) as Language) ?? 'en'
}

let language = firstLanguage()
export const currentLanguage = () => language
export const nameOf = (other: Language) => texts[other].language

export function choose(other: Language): void {
  language = other
  localStorage.setItem(CHOSEN, other)
}

// `{n}` is replaced by a value. "one|more": the first form is for n = 1. What stands between values is text.
export function pieces<V>(key: Key, values: Record<string, V>): (V | string | undefined)[] {
  const forms = texts[language][key].split('|')
  const form = forms.length > 1 && values.n !== 1 ? forms[1]! : forms[0]!
  return form.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? shown(values[part]) : part))
}

const shown = <V,>(value: V) => (typeof value === 'number' ? value.toLocaleString(language) : value)

export const t = (key: Key, values: Record<string, string | number> = {}) => pieces(key, values).join('')

// Of a word that the API may have and this page not: the word itself.
export function word(group: string, name: string): string {
  const key = `${group}.${name}`
  return key in texts.en ? t(key as Key) : name
}
// What to look at first, which the API says in English (processor/rules/check_first.c, provider files).
const checks: Partial<Record<Language, Record<string, string>>> = { ko: checksKo }
export function check(text: string): { text: string; language: Language } {
  const known = checks[language]?.[text]
  return known ? { text: known, language } : { text, language: 'en' }
}

export const hasWord = (group: string, name: string) => `${group}.${name}` in texts.en
