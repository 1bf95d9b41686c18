// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks'
import { post, type Fault, type Quarantined, type Redriven } from '../api'
import { Choice, Filters, List, ListTitle, Period, ProviderChoice } from '../list'
import { refused, useNow } from '../live'
import { Badge, Coded, Time } from '../parts'
import { setterOf } from '../route'
import { t } from '../texts'

function Redrive({ of }: { of: Quarantined }) {
  const [said, setSaid] = useState<string>()
  const [busy, setBusy] = useState(false)
  async function redrive() {
    if (busy) return
    setBusy(true)
    try {
      const { sent, known, unclear, unknown_type } = await post<Redriven>(`quarantine/${of.partition}/${of.offset}/redrive`)
      setSaid(t('quarantine.result', { sent, known, unclear: unclear + unknown_type }))
    } catch (error) {
      if (!refused(error)) setSaid((error as Fault).detail || t('fault.0'))
    }
    setBusy(false)
  }
  return (
    <span class="redrive">
      <button class="quiet" aria-disabled={busy} onClick={redrive}>
        {t(busy ? 'quarantine.redriving' : 'quarantine.redrive')}
      </button>
      <span role="status" class="small">
        {said}
      </span>
    </span>
  )
}

function Row({ of, now }: { of: Quarantined; now: number }) {
  return (
    <div class="row">
      <Badge tone={of.redriven_at ? 'ok' : 'warn'}>{t(of.redriven_at ? 'quarantine.yes' : 'quarantine.no')}</Badge>
      <span class="grow">
        <strong>{of.endpoint ?? of.provider ?? t('quarantine.unknown')}</strong>
        <span lang="en">{of.reason}</span>
        <span class="muted">
          {t('quarantine.place', { partition: String(of.partition), offset: String(of.offset) })} · {t('size', { n: of.size_bytes })}
        </span>
        {!of.redriven_at && <Redrive of={of} />}
      </span>
      <span class="when">
        <Time of={of.received_at} now={now} />
      </span>
    </div>
  )
}

export function QuarantinePage({ query }: { query: Record<string, string> }) {
  const now = useNow()
  const set = setterOf('quarantine', query)
  return (
    <>
      <ListTitle page="quarantine" query={query} />
      <p class="lead">
        <Coded of={t('quarantine.about')} />
      </p>
      <Filters>
        <Choice
          name="redriven"
          label={t('quarantine.redriven')}
          value={query.redriven}
          onChange={set('redriven')}
          options={[
            ['no', t('quarantine.no')],
            ['yes', t('quarantine.yes')],
          ]}
        />
        <ProviderChoice value={query.provider} onChange={set('provider')} />
        <Period page="quarantine" query={query} />
      </Filters>
      <List<Quarantined> page="quarantine" query={query} id={(item) => `${item.partition}/${item.offset}`}>
        {(item) => <Row of={item} now={now} />}
      </List>
    </>
  )
}
