// SPDX-License-Identifier: MIT
import { Fault, get, type Code, type Incident, type Page } from '../api'
import { duration, number } from '../format'
import { countsOf, headline, sentence, toneOf } from '../incident'
import { useLive, useNow } from '../live'
import { Badge, Fact, Facts, Shown, Time } from '../parts'
import { to } from '../route'
import { check, t, word } from '../texts'

const PAGES_MAX = 10

// The API has no path for one of them; there are few.
async function find(id: string, signal: AbortSignal): Promise<Incident> {
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page++) {
    const { items, next }: Page<Incident> = await get('incidents', { limit: 200, cursor }, signal)
    const found = items.find((incident) => incident.incident_id === id)
    if (found) return found
    if (!next) break
    cursor = next
  }
  throw new Fault(404, '')
}

function Codes({ of, provider }: { of: Code[]; provider: string | null }) {
  return (
    <section>
      <h2>{t('incident.codes')}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('column.code')}</th>
            <th scope="col">{t('column.meaning')}</th>
            <th scope="col" class="number">
              {t('column.records')}
            </th>
          </tr>
        </thead>
        <tbody>
          {of.map(({ code, reason, count }) => (
            <tr>
              <td>
                <a href={to(['messages'], { provider, status: 'DEAD_LETTER', code })}>
                  <code>{code}</code>
                </a>
              </td>
              <td>{reason}</td>
              <td class="number">{number(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function View({ of, now }: { of: Incident; now: number }) {
  const open = of.status === 'open'
  const ms = (open ? now : Date.parse(of.closed_at!)) - Date.parse(of.since)
  return (
    <>
      <p class="crumbs">
        <a href={to(['incidents'])}>{t('incidents')}</a>
      </p>
      <div class="title">
        <h1>{headline(of)}</h1>
        <Badge tone={toneOf(of)}>{t(`status.${of.status}`)}</Badge>
      </div>
      <p class="lead">{sentence(of)}</p>
      <Facts>
        <Fact name={t('incident.began')}>
          <Time of={of.since} long />
          <span class="muted"> · {t(open ? 'incident.for' : 'incident.lasted', { duration: duration(ms) })}</span>
        </Fact>
        <Fact name={t('incident.found')}>
          <Time of={of.opened_at} long />
        </Fact>
        <Fact name={t('incident.ended')}>{of.closed_at && <Time of={of.closed_at} long />}</Fact>
        <Fact name={t('incidents.provider')}>{of.provider && <a href={to(['providers', of.provider])}>{of.provider}</a>}</Fact>
        <Fact name={t('incident.endpoint')}>{of.endpoint}</Fact>
        <Fact name={t('incident.scope')}>{of.scope && word('scope', of.scope)}</Fact>
        {countsOf(of).map(([name, n]) => (
          <Fact key={name} name={name}>
            {n}
          </Fact>
        ))}
        <Fact name={t('incident.folded')}>{of.folded_overdue ? number(of.folded_overdue) : null}</Fact>
        <Fact name={t('incident.example')}>
          {of.example && of.provider && (
            <a class="id" href={to(['messages', of.provider, of.example])}>
              {of.example}
            </a>
          )}
        </Fact>
      </Facts>
      {of.codes && of.codes.length > 0 && <Codes of={of.codes} provider={of.provider} />}
      {of.check_first && of.check_first.length > 0 && (
        <section>
          <h2>{t('incident.check')}</h2>
          <ol class="checks">
            {of.check_first.map(check).map(({ text, language }) => (
              <li lang={language}>{text}</li>
            ))}
          </ol>
        </section>
      )}
      {of.summary && (
        <section>
          <h2>{t('incident.summary')}</h2>
          <p lang="en">{of.summary}</p>
          {of.cause && (
            <>
              <h3>{t('incident.cause')}</h3>
              <p lang="en">{of.cause}</p>
            </>
          )}
        </section>
      )}
      {of.kind === 'failing' && of.provider && (
        <p>
          <a class="button" href={to(['messages'], { provider: of.provider, status: 'DEAD_LETTER' })}>
            {t('incident.messages')}
          </a>
        </p>
      )}
    </>
  )
}

export function IncidentPage({ id }: { id: string }) {
  const live = useLive(id, (signal) => find(id, signal))
  const now = useNow()
  return <Shown live={live}>{(incident) => <View of={incident} now={now} />}</Shown>
}
