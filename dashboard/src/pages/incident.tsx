// SPDX-License-Identifier: MIT
import { encode, get, type Incident, type Kind } from '../api'
import { CodeTable } from '../codes'
import { duration, exactWithZone, number } from '../format'
import { countsOf, headline, sentence, toneOf } from '../incident'
import { useLive, useNow } from '../live'
import { Badge, Fact, Facts, Head, NotFound, Shown, Time } from '../parts'
import { to } from '../route'
import { check, t, word } from '../texts'

// Those that it concerns.
const MESSAGES: Partial<Record<Kind, Record<string, string>>> = {
  failing: { status: 'DEAD_LETTER' },
  silent: { overdue: 'yes' },
  slow: { overdue: 'yes' },
}

function View({ of, now }: { of: Incident; now: number }) {
  const open = of.status === 'open'
  const ms = (open ? now : Date.parse(of.closed_at!)) - Date.parse(of.since)
  return (
    <>
      <p class="lead">{sentence(of)}</p>
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
      {of.provider && MESSAGES[of.kind] && (
        <p>
          <a class="button" href={to(['messages'], { provider: of.provider, ...MESSAGES[of.kind] })}>
            {t(of.kind === 'failing' ? 'incident.messages' : 'incident.overdue')}
          </a>
        </p>
      )}
      <Facts>
        <Fact name={t('incident.began')}>
          <Time of={of.since} as="exact" />
          <span class="muted more-of">{t(open ? 'incident.for' : 'incident.lasted', { duration: duration(ms) })}</span>
        </Fact>
        <Fact name={t('incident.found')}>
          <Time of={of.opened_at} as="exact" />
        </Fact>
        <Fact name={t('incident.ended')}>{of.closed_at && <Time of={of.closed_at} as="exact" />}</Fact>
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
      {of.codes && of.codes.length > 0 && (
        <section>
          <h2>{t('incident.codes')}</h2>
          <CodeTable
            of={of.codes.map(({ code, reason, count }) => ({
              code,
              href: to(['messages'], { provider: of.provider, status: 'DEAD_LETTER', code }),
              reason,
              records: count,
            }))}
          />
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
    </>
  )
}

export function IncidentPage({ id }: { id: string }) {
  const live = useLive(id, (signal) => get<Incident>(`incidents/${encode(id)}`, {}, signal))
  const now = useNow()
  const incident = live.value
  const none = (
    <NotFound text={t('none.incident', { id })} why={['none.incident.old', 'none.incident.other']} again={live.again}>
      <a class="button" href={to(['incidents'])}>
        {t('none.incidents')}
      </a>
    </NotFound>
  )
  return (
    <>
      {incident ? (
        <Head up="incidents" title={headline(incident)} tab={`${headline(incident)} · ${exactWithZone(incident.since)}`}>
          <Badge tone={toneOf(incident)}>{t(`status.${incident.status}`)}</Badge>
        </Head>
      ) : (
        <Head up="incidents" title={t('title.incident', { id })} id={id} />
      )}
      <Shown live={live} none={none}>
        {(incident) => <View of={incident} now={now} />}
      </Shown>
    </>
  )
}
