// SPDX-License-Identifier: MIT
// Where in the page we are: #/messages/bizgo/id?code=64008. Names and values are encoded as in a URL.
import { useEffect, useState } from 'preact/hooks'

export interface Route {
  path: string[] // [] is the overview
  query: Record<string, string>
}

export function read(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?')
  const decode = (part: string) => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  }
  return { path: path.split('/').filter(Boolean).map(decode), query: Object.fromEntries(new URLSearchParams(query)) }
}

export function to(path: string[], query: Record<string, string | null | undefined> = {}): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value) given.set(name, value)
  return `#/${path.map(encodeURIComponent).join('/')}${given.size ? `?${given}` : ''}`
}

// Changes one value of a page's address.
export const setterOf = (page: string, query: Record<string, string>) => (name: string) => (value: string) => {
  location.hash = to([page], { ...query, [name]: value })
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const follow = () => setHash(location.hash)
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return read(hash)
}

// Where the keyboard goes on after what it was on is gone.
export const focusContent = () => document.getElementById('content')?.focus()
