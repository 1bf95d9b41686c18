// SPDX-License-Identifier: MIT
// What to do where no processor answers. A page may ask for several things; this is said once.
import type { Outage } from './api'
import { exact } from './format'
import { useOutage } from './live'
import { Coded, Icon } from './parts'
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

const sentence = ({ since, status }: Outage) =>
  t(status ? 'outage.proxy' : 'outage', { time: exact(since), status: String(status) })

export function OutageNote() {
  const outage = useOutage()
  if (!outage) return null
  const { lastAnswer } = outage
  return (
    <div class="note warn">
      <Icon tone="warn" />
      <div>
        <p role="alert">
          <strong>{sentence(outage)}</strong> {lastAnswer && t('outage.last', { time: exact(lastAnswer) })} {t('outage.retry')}
        </p>
        <WhatToDo />
      </div>
    </div>
  )
}
