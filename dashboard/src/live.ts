// SPDX-License-Identifier: MIT
// What is shown is asked for again every 5 s while the page is visible, unless the answer would stay the same.
import { useEffect, useRef, useState } from 'preact/hooks'
import { currentOutage, Fault, key, whenOutage } from './api'

const EVERY_MS = 5000

export interface Live<T> {
  value?: T // the last answer, also when the last question failed
  fault?: Fault
  at?: number // when that answer came
  again: () => void // asks at once
}

// There is no such thing, or the question is wrong: it stays so, however often it is asked.
export const isFinal = ({ status, detail }: Fault) => status >= 400 && status < 500 && !!detail

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

// `of` says what is asked for: another one forgets the last answer. `once`: until there is an answer.
export function useLive<T>(of: string, load: (signal: AbortSignal) => Promise<T>, once = false): Live<T> {
  const [state, setState] = useState<Omit<Live<T>, 'again'> & { of?: string }>({})
  const [times, setTimes] = useState(0)
  const again = () => {
    setState({})
    setTimes(times + 1)
  }
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const stop = new AbortController()
    let timer = 0
    let asking = false
    let done = false
    async function ask() {
      clearTimeout(timer)
      if (asking || done || document.hidden) return
      asking = true
      try {
        const value = await latest.current(stop.signal)
        if (!stop.signal.aborted) setState({ of, value, at: Date.now() })
        done = once
      } catch (error) {
        if (stop.signal.aborted || refused(error)) return
        const fault = error instanceof Fault ? error : new Fault(0, String(error))
        done = isFinal(fault)
        setState((last) => ({ ...(last.of === of && !done ? last : {}), of, fault }))
      } finally {
        asking = false
      }
      if (!done && !stop.signal.aborted) timer = window.setTimeout(ask, EVERY_MS)
    }
    const look = () => void ask()
    document.addEventListener('visibilitychange', look)
    look()
    return () => {
      document.removeEventListener('visibilitychange', look)
      clearTimeout(timer)
      stop.abort()
    }
  }, [of, once, times])
  return state.of === of ? { ...state, again } : { again }
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

export function useOutage() {
  const [outage, setOutage] = useState(currentOutage)
  useEffect(() => {
    whenOutage(setOutage)
    setOutage(currentOutage())
    return () => void whenOutage(() => {})
  }, [])
  return outage
}

// The title of the tab.
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · dochak`
  }, [title])
}
