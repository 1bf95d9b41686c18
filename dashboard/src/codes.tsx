// SPDX-License-Identifier: MIT
// Result codes, each with what it means and how often it came.
import { number } from './format'
import { Badge, type Tone } from './parts'
import { t } from './texts'

interface Row {
  code: string | null
  href?: string // the messages with it
  outcome?: { tone: Tone; text: string }
  reason: string | null
  channel?: string | null
  records: number
}

export function CodeTable({ of, channels }: { of: Row[]; channels?: boolean }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t('column.code')}</th>
          <th scope="col">{t('column.meaning')}</th>
          {channels && (
            <th scope="col" class="wide">
              {t('column.channel')}
            </th>
          )}
          <th scope="col" class="number">
            {t('column.records')}
          </th>
        </tr>
      </thead>
      <tbody>
        {of.map(({ code, href, outcome, reason, channel, records }) => (
          <tr>
            <td>{href ? <a href={href}><code>{code}</code></a> : <code>{code}</code>}</td>
            <td>
              {outcome && <Badge tone={outcome.tone}>{outcome.text}</Badge>} {reason}
            </td>
            {channels && <td class="wide">{channel}</td>}
            <td class="number">{number(records)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
