// SPDX-License-Identifier: MIT
// An incident in words of the reader's language. What the alert said is English, and shown where all of it is (pages/incident.tsx).
import type { Incident } from './api'
import { duration, number } from './format'
import { Badge, Icon, Time, type Tone } from './parts'
import { to } from './route'
import { hasWord, t, word, type Key } from './texts'

// Of a certificate and of the limit of failed calls there is time left.
export function toneOf(incident: Incident): Tone {
  if (incident.status === 'closed') return 'idle'
  return incident.kind === 'slow' || incident.kind === 'at_risk' || incident.scope?.startsWith('certificate') ? 'warn' : 'bad'
}

// Whose fault it is. Only what is about the calls of one endpoint names that.
export function whoOf({ kind, provider, endpoint }: Incident): string {
  const ofCalls = kind === 'refusing' || kind === 'silent'
  return (ofCalls ? (endpoint ?? provider) : (provider ?? endpoint)) ?? t('incident.our_side')
}

const scopeWord = (incident: Incident) => (incident.scope?.startsWith('certificate') ? 'certificate' : incident.scope)

// The most special text that there is.
function keyOf(group: string, incident: Incident): Key {
  const scope = scopeWord(incident)
  const special = scope ? `${incident.kind}.${scope}` : incident.kind === 'silent' && incident.endpoint ? 'silent.endpoint' : incident.kind
  return `${group}.${hasWord(group, special) ? special : incident.kind}` as Key
}

export function headline(incident: Incident): string {
  const who = whoOf(incident)
  return incident.status === 'open' ? t(keyOf('verdict', incident), { who }) : `${who} · ${word('kind', incident.kind)}`
}
export const sentence = (incident: Incident) => t(keyOf('incident', incident))

export function codesText(incident: Incident): string {
  return (incident.codes ?? []).map(({ code, reason }) => (reason ? `${code} ${reason}` : code)).join(', ')
}

export function IncidentRow({ of, now }: { of: Incident; now: number }) {
  const open = of.status === 'open'
  const lasted = (open ? now : Date.parse(of.closed_at!)) - Date.parse(of.since)
  const codes = codesText(of)
  return (
    <a class="row incident" href={to(['incidents', of.incident_id])}>
      <Badge tone={toneOf(of)}>{open ? word('kind', of.kind) : t('status.closed')}</Badge>
      <span class="grow">
        <strong>{open ? whoOf(of) : headline(of)}</strong>
        <span class="muted">{sentence(of)}</span>
        {codes && <span class="codes">{codes}</span>}
      </span>
      <span class="when">
        <Time of={of.since} now={now} />
        <span class="muted">{t(open ? 'incident.for' : 'incident.lasted', { duration: duration(lasted) })}</span>
      </span>
      <Icon tone="next" />
    </a>
  )
}

export const countsOf = (incident: Incident) =>
  Object.entries(incident.counts ?? {}).map(([name, n]) => [word('counts', name), number(n)] as const)
