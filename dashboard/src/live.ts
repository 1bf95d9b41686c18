// SPDX-License-Identifier: MIT
// What is shown is asked for again every 5 s while the page is visible.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Fault, key } from './api'

const EVERY_MS = 5000

export interface Live<T> {
  value?: T // the last answer, also when the last question failed
  fault?: Fault
  at?: number // when that answer came
}

// The key was refused: whoever shows the page asks for another one.
let onRefused = () => {}
export const whenRefused = (act: () => void) => (onRefused = act)

export function refused(error: unknown): boolean {
  const is = error instanceof Fault && error.status === 401
  if (is) {
    key.forget()
    onRefused()
  }
  return is
}

// `of` says what is asked for: another one forgets the last answer. A list that was paged on is not asked for again (`once`).
export function useLive<T>(of: string, load: (signal: AbortSignal) => Promise<T>, once = false): Live<T> {
  const [state, setState] = useState<Live<T> & { of?: string }>({})
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const stop = new AbortController()
    let timer = 0
    let asking = false
    async function ask() {
      clearTimeout(timer)
      if (asking || document.hidden) return
      asking = true
      try {
        const value = await latest.current(stop.signal)
        if (!stop.signal.aborted) setState({ of, value, at: Date.now() })
      } catch (error) {
        if (stop.signal.aborted || refused(error)) return
        const fault = error instanceof Fault ? error : new Fault(0, String(error))
        setState((last) => ({ ...(last.of === of ? last : {}), of, fault }))
      } finally {
        asking = false
      }
      if (!once && !stop.signal.aborted) timer = window.setTimeout(ask, EVERY_MS)
    }
    const look = () => void ask()
    document.addEventListener('visibilitychange', look)
    look()
    return () => {
      document.removeEventListener('visibilitychange', look)
      clearTimeout(timer)
      stop.abort()
    }
  }, [of, once])
  return state.of === of ? state : {}
}

// The time now, every second while the page is visible.
export function useNow(): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}
