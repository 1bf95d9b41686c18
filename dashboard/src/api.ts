// SPDX-License-Identifier: MIT
// The query API (schemas/openapi-processor.yaml), as far as the page reads it. The key is kept for the browser's session only.

export type Status = 'PENDING' | 'SENT' | 'DEAD_LETTER'
export type Kind = 'failing' | 'silent' | 'slow' | 'refusing' | 'unreachable' | 'at_risk'

export interface Page<T> {
  items: T[]
  next: string | null
}

export interface Notification {
  provider: string
  notification_id: string
  status: Status
  outcome: string | null
  code: string | null
  reason: string | null
  contradicted_by: string | null
  channel: string | null
  recipient: string | null
  recipient_hash: string | null
  reference: string | null
  accepted_at: string | null
  resolved_at: string | null
  unconfirmed_at: string | null
  due_at: string | null
  expires_at: string | null
  first_seen_at: string
  updated_at: string
}

export interface Alert {
  alert_id: string
  type: string
  provider: string | null
  subject: string | null
  raised_at: string
  published: boolean
  data: Record<string, unknown> | null
}

export interface Story {
  notification: Notification
  acceptances: { acceptance_id: string; accepted_at: string; received_at: string; endpoint: string | null; registration: unknown }[]
  receipts: {
    receipt_id: string
    outcome: string
    code: string
    reason: string | null
    received_at: string
    endpoint: string | null
    element: unknown
  }[]
  alerts: Alert[]
  truncated: boolean
}

export interface Code {
  code: string
  reason: string | null
  count: number
}

export interface Incident {
  incident_id: string
  kind: Kind
  status: 'open' | 'closed'
  provider: string | null
  endpoint: string | null
  scope: string | null
  since: string
  opened_at: string
  closed_at: string | null
  folded_overdue: number
  summary?: string
  cause?: string | null
  check_first?: string[]
  counts?: Record<string, number>
  codes?: Code[]
  example?: string | null
}

export interface Contact {
  provider: string
  contact_id: string
  provider_id: string | null
  status: 'known' | 'deleted'
  phone: string | null
  phone_hash: string | null
  email: string | null
  email_hash: string | null
  consents: Record<string, boolean>
  version: number | null
  last_at: string
  changed_at: string | null
  deleted_at: string | null
}

export interface Quarantined {
  partition: number
  offset: number
  provider: string | null
  endpoint: string | null
  reason: string
  received_at: string
  size_bytes: number
  redriven_at: string | null
}

export interface Redriven {
  sent: number
  known: number
  unclear: number
  unknown_type: number
}

// ---- the key ----

const KEY = 'dochak.key'
export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value: string) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
}

// ---- requests ----

// Why there is no answer: the status of the API's (0: none came), and what it says. Only the API itself says something in words.
export class Fault extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail)
  }
}

// Since when no processor answers. `status` is that of what answers in its place, such as a proxy.
export interface Outage {
  since: number
  status: number
  lastAnswer?: number
}

let outage: Outage | undefined
let lastAnswer: number | undefined
let onOutage: (outage?: Outage) => void = () => {}
export const currentOutage = () => outage
export const whenOutage = (act: (outage?: Outage) => void) => (onOutage = act)

function note(answered: boolean, status: number): void {
  const before = outage
  if (answered) lastAnswer = Date.now()
  outage = answered ? undefined : { since: before?.since ?? Date.now(), status, lastAnswer }
  if (outage?.status !== before?.status) onOutage(outage)
}

export type Parameters = Record<string, string | number | null | undefined>

async function ask<T>(method: string, path: string, headers: Record<string, string>, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(method === 'GET' ? 10_000 : 60_000)
  let answer: Response | undefined
  let body
  try {
    answer = await fetch(path, {
      method,
      headers: { ...headers, Authorization: `Bearer ${key.get()}` },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      cache: 'no-store',
    })
    body = await answer.json()
  } catch (error) {
    if (signal?.aborted) throw error
  }
  const status = answer?.status ?? 0
  const isOurs = !!body && (answer!.ok || typeof body.detail === 'string')
  note(isOurs || status === 401, status)
  if (!isOurs) throw new Fault(status, '')
  if (!answer!.ok) throw new Fault(status, body.detail)
  return body
}

// `headers`: Dochak-Recipient, which no address may show.
export async function get<T>(
  path: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
  headers: Record<string, string> = {},
): Promise<T> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, String(value))
  return ask('GET', `v1/${path}${query.size ? `?${query}` : ''}`, headers, signal)
}

export async function post<T>(path: string): Promise<T> {
  return ask('POST', `v1/${path}`, {})
}

export const encode = encodeURIComponent

// ---- the overview ----

export interface Failure {
  code: string | null
  channel: string | null
  reason: string | null
  outcome: string
  records: number
}

export interface Traffic {
  since: string
  step_s: number
  accepted: number[]
  delivered: number[]
  failed: number[]
}

export interface EndpointNow {
  endpoint: string
  healthy: boolean
  last_receipt_at: string | null
  last_other_at: string | null
  calls: number
  good: number
  refused: number
  refused_by: Record<string, number>
  failed: number
  silence: {
    standing: 'learning' | 'irregular' | 'watching' | 'registered'
    speaks_from: string | null
    horizon: string | null
    floor: { calls: number; within_s: number } | null
  } | null
}

export interface ProviderNow {
  provider: string
  healthy: boolean
  last_receipt_at: string | null
  last_other_at: string | null
  last_answer_at: string | null
  has_contacts: boolean
  pending: number
  overdue: number
  oldest_pending_at: string | null
  dead_letters: number
  failures: Failure[]
  traffic: Traffic
  endpoints: EndpointNow[]
}

export interface Overview {
  at: string
  incidents: Incident[]
  providers: ProviderNow[]
  ingress: { reported_at: string | null; instances: number; spooled: number; spooled_since: string | null }
  front_door: { called_at: string; result: string; text: string; took_ms: number; certificate_ends_at: string | null } | null
  watch: { instance: string; leads_since: string; looked_at: string; known_until: string | null; hidden_partitions: number } | null
  quarantined: number
}

// ---- counters ----

export interface Stats {
  since: string
  until: string
  deliveries: { begins: string; provider: string | null; outcome: string; records: number }[]
}

export interface CodeStats {
  codes: { provider: string; channel: string | null; code: string | null; reason: string | null; outcome: string; records: number }[]
}
