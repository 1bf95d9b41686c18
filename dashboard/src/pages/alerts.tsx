// SPDX-License-Identifier: MIT
import { AlertRow } from '../alert'
import type { Alert } from '../api'
import { Choice, Filters, List, ListTitle, Period, ProviderChoice } from '../list'
import { useNow } from '../live'
import { setterOf } from '../route'
import { t, word } from '../texts'

const KINDS = [
  'dead_lettered',
  'recovered',
  'overdue',
  'failing',
  'silent',
  'slow',
  'refusing',
  'unreachable',
  'at_risk',
  'restored',
  'quarantined',
  'lost',
  'consent_withdrawn',
]

export function AlertsPage({ query }: { query: Record<string, string> }) {
  const now = useNow()
  const set = setterOf('alerts', query)
  return (
    <>
      <ListTitle page="alerts" query={query} />
      <p class="lead">{t('alerts.about')}</p>
      <Filters>
        <Choice
          name="kind"
          label={t('incidents.kind')}
          value={query.kind}
          onChange={set('kind')}
          options={KINDS.map((kind) => [kind, word('alert', kind)])}
        />
        <ProviderChoice value={query.provider} onChange={set('provider')} />
        <Period page="alerts" query={query} />
      </Filters>
      <List<Alert> page="alerts" query={query} id={(alert) => alert.alert_id}>
        {(alert) => <AlertRow of={alert} now={now} />}
      </List>
    </>
  )
}
