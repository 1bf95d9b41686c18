// SPDX-License-Identifier: MIT
// Receipts over time as bars: failures on top of deliveries. The last bar is of a time that is not over, and pale. Its
// numbers are in the label, and beside it.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { clock } from './format'
import { currentLanguage } from './texts'

interface Props {
  since: string
  step_s: number
  delivered: number[]
  failed: number[]
  height: number
  axes?: boolean
  label: string
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

function series({ since, step_s, delivered, failed }: Props): uPlot.AlignedData {
  const first = Date.parse(since) / 1000
  return [delivered.map((_, i) => first + i * step_s), delivered.map((n, i) => n + failed[i]!), delivered]
}

function options(props: Props, width: number): uPlot.Options {
  const bars = (name: string) => {
    const [over, now] = [colour(name), colour(`${name}-now`)]
    const fills = props.delivered.map((_, i) => (i < props.delivered.length - 1 ? over : now))
    return uPlot.paths.bars!({ size: [0.72, 40], align: 1, radius: 0.15, disp: { fill: { unit: 3, values: () => fills } } })
  }
  const text = { stroke: colour('--muted'), font: '12px system-ui, sans-serif' }
  const grid = { stroke: colour('--line'), width: 1 }
  return {
    width,
    height: props.height,
    padding: props.axes ? [8, 20, 0, 0] : [4, 0, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: [Date.parse(props.since) / 1000, Date.parse(props.since) / 1000 + props.delivered.length * props.step_s] },
      y: { range: (_, __, most) => [0, Math.max(4, most * 1.05)] },
    },
    axes: [
      {
        show: !!props.axes,
        ...text,
        grid: { show: false },
        ticks: { show: false },
        size: 28,
        values: (_, times) => times.map((time) => clock(time * 1000)),
      },
      {
        show: !!props.axes,
        ...text,
        grid,
        ticks: { show: false },
        size: 44,
        values: (_, ns) => ns.map((n) => (Number.isInteger(n) ? n.toLocaleString(currentLanguage()) : '')),
      },
    ],
    series: [
      {},
      { paths: bars('--chart-failed'), fill: colour('--chart-failed'), width: 0, points: { show: false } },
      { paths: bars('--chart-delivered'), fill: colour('--chart-delivered'), width: 0, points: { show: false } },
    ],
  }
}

export function Bars(props: Props) {
  const box = useRef<HTMLDivElement>(null)
  const data = JSON.stringify([props.since, props.delivered, props.failed, currentLanguage()])
  useEffect(() => {
    const at = box.current!
    let plot: uPlot | undefined
    const draw = () => {
      plot?.destroy()
      plot = new uPlot(options(props, at.clientWidth), series(props), at)
    }
    const size = new ResizeObserver(() => at.clientWidth && plot?.width !== at.clientWidth && draw())
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    draw()
    size.observe(at)
    scheme.addEventListener('change', draw)
    return () => {
      size.disconnect()
      scheme.removeEventListener('change', draw)
      plot?.destroy()
    }
  }, [data])
  return <div class={props.axes ? 'chart' : 'chart spark'} role="img" aria-label={props.label} ref={box} />
}
