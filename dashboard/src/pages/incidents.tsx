// SPDX-License-Identifier: MIT
import type { Incident } from '../api'
import { IncidentRow } from '../incident'
import { Choice, Filters, List, ListTitle, Period, ProviderChoice } from '../list'
import { useNow } from '../live'
import { setterOf } from '../route'
import { t, word } from '../texts'

const KINDS = ['failing', 'silent', 'slow', 'refusing', 'unreachable', 'at_risk']

export function IncidentsPage({ query }: { query: Record<string, string> }) {
  const now = useNow()
  const set = setterOf('incidents', query)
  return (
    <>
      <ListTitle page="incidents" query={query} />
      <Filters>
        <Choice
          name="status"
          label={t('incidents.status')}
          value={query.status}
          onChange={set('status')}
          options={[
            ['open', t('status.open')],
            ['closed', t('status.closed')],
          ]}
        />
        <Choice
          name="kind"
          label={t('incidents.kind')}
          value={query.kind}
          onChange={set('kind')}
          options={KINDS.map((kind) => [kind, word('kind', kind)])}
        />
        <ProviderChoice value={query.provider} onChange={set('provider')} />
        <Period page="incidents" query={query} />
      </Filters>
      <List<Incident> page="incidents" query={query} id={(incident) => incident.incident_id}>
        {(incident) => <IncidentRow of={incident} now={now} />}
      </List>
    </>
  )
}
