// SPDX-License-Identifier: MIT
// What to do where no processor answers. A page may ask for several things; this is said once.
import type { Outage } from './api'
import { useOutage } from './live'
import { Coded, Icon, Time, Words } from './parts'
import { t } from './texts'

const LOOK = ['outage.runs', 'outage.way', 'outage.meanwhile'] as const

export function WhatToDo() {
  return (
    <ul class="reasons">
      {LOOK.map((key) => (
        <li>
          <Coded of={t(key)} />
        </li>
      ))}
    </ul>
  )
}

function Sentence({ of: { since, status } }: { of: Outage }) {
  return <Words of={status ? 'outage.proxy' : 'outage'} values={{ time: <Time of={since} as="exact" />, status: String(status) }} />
}

export function OutageNote() {
  const outage = useOutage()
  if (!outage) return null
  const { lastAnswer } = outage
  return (
    <div class="note warn">
      <Icon tone="warn" />
      <div>
        <p role="alert">
          <strong>
            <Sentence of={outage} />
          </strong>{' '}
          {lastAnswer && <Words of="outage.last" values={{ time: <Time of={lastAnswer} as="exact" /> }} />} {t('outage.retry')}
        </p>
        <WhatToDo />
      </div>
    </div>
  )
}
