/** Charts as SVG and as text: their structure, edge values, what is refused, and that nothing in a label can break out. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { BarChart, Chart, LineChart } from './chart.ts'
import { chartToSvg } from './svg.ts'
import { colours, escapeXml } from './svg-text.ts'
import { chartToText } from './terminal.ts'

const line: LineChart = {
  kind: 'line',
  title: 'Latency by connections',
  x: { label: 'Connections', unit: '', scale: 'log' },
  y: { label: 'Latency', unit: 'seconds', scale: 'log' },
  series: [
    { label: 'p50', points: [1, 10, 100].map((x) => ({ x, y: 1e-5 * x })) },
    { label: 'p99', points: [1, 10, 100].map((x) => ({ x, y: 1e-4 * x })) },
  ],
}

const bars: BarChart = {
  kind: 'bars',
  title: 'Throughput by operation',
  groups: ['set', 'get'],
  y: { label: 'Throughput', unit: 'operations/s' },
  series: [
    { label: 'OrbitKV', values: [1_200_000, 3_400_000] },
    { label: 'Redis', values: [900_000, undefined] },
  ],
}

/** Opens and closes of elements must match, and text must be escaped: a parser of the subset that we write. */
function checkMarkup(svg: string): void {
  const open: string[] = []
  for (const [whole, close, name, selfClosed] of svg.matchAll(/<(\/?)([a-z]+)(?: [a-zA-Z-]+="[^"<]*")*(\/?)>/g)) {
    if (close === '/') assert.equal(open.pop(), name, whole)
    else if (selfClosed !== '/') open.push(name as string)
  }
  assert.deepEqual(open, [])
  const withoutTags = svg.replace(/<\/?[a-z]+(?: [a-zA-Z-]+="[^"<]*")*\/?>/g, '')
  assert.doesNotMatch(withoutTags, /[<>]|&(?!(amp|lt|gt|quot|#39);)/)
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
}

const count = (svg: string, pattern: RegExp): number => [...svg.matchAll(pattern)].length

describe('SVG', () => {
  test('stands alone, and names itself to those who cannot see it', () => {
    const svg = chartToSvg(line)
    checkMarkup(svg)
    assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 720 420" /)
    const [, title, desc] = svg.match(/role="img" aria-labelledby="(\S+) (\S+)"/) as string[]
    assert.ok(svg.includes(`<title id="${title}">Latency by connections</title>`))
    const heard = 'Lines over Connections, Latency, logarithmic. p50: 10 µs to 1 ms. p99: 100 µs to 10 ms.'
    assert.ok(svg.includes(`<desc id="${desc}">${heard}</desc>`))
    assert.ok(chartToSvg({ ...line, description: 'as told' }).includes('>as told</desc>'))
    assert.match(svg, /@media \(prefers-color-scheme:dark\)/)
    assert.doesNotMatch(svg, /href|url\(|@import|<script/)
    assert.equal(chartToSvg(line), svg)
  })

  test('lines: a curve and dots for each series, a legend, ticks on both axes', () => {
    const svg = chartToSvg(line)
    assert.equal(count(svg, /class="curve line[01]" d="M[\d.]+ [\d.]+(L[\d.]+ [\d.]+){2}"/g), 2)
    assert.equal(count(svg, /<circle class="fill[01]"/g), 6)
    assert.ok(svg.includes('<title>p99: 1 ms at 10</title>'))
    for (const text of ['p50', 'p99', 'Connections, logarithmic', 'Latency, logarithmic', '10 µs', '1 ms', '100'])
      assert.ok(svg.includes(`>${text}</text>`), text)
  })

  test('many points are a line without dots', () => {
    const points = Array.from({ length: 200_000 }, (_, x) => ({ x: x + 1, y: 1 + (x % 7) }))
    const svg = chartToSvg({ ...line, series: [{ label: 'many', points }] })
    assert.equal(count(svg, /<circle/g), 0)
  })

  test('bars: one for each value there is, grouped, named and with its value', () => {
    const svg = chartToSvg(bars)
    checkMarkup(svg)
    const rects = [
      ...svg.matchAll(/<rect class="fill(\d)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"><title/g),
    ]
    assert.deepEqual(
      rects.map((rect) => rect[1]),
      ['0', '0', '1'],
    )
    const heights = rects.map((rect) => Number(rect[5]))
    assert.ok(Math.abs(heights[1]! / heights[0]! - 3.4 / 1.2) < 0.01, String(heights))
    assert.ok(Math.abs(heights[2]! / heights[0]! - 0.9 / 1.2) < 0.01, String(heights))
    assert.ok(svg.includes('<title>OrbitKV, get: 3.4M</title>'))
    for (const text of ['set', 'get', 'OrbitKV', 'Redis', '900k', 'Throughput (operations/s)'])
      assert.ok(svg.includes(`>${text}</text>`), text)
  })

  test('bars below zero hang from it', () => {
    const svg = chartToSvg({ ...bars, series: [{ label: 'a', values: [-5, 10] }] })
    checkMarkup(svg)
    const [below, above] = [
      ...svg.matchAll(/<rect class="fill0" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g),
    ]
    assert.ok(Math.abs(Number(below![1]) - (Number(above![1]) + Number(above![2]))) < 0.2, 'both touch zero')
    assert.ok(Math.abs(Number(above![2]) / Number(below![2]) - 2) < 0.02)
  })

  test('long names of groups are turned, and stay within the picture', () => {
    const groups = Array.from({ length: 8 }, (_, index) => `a name that is much too long for its place ${index}`)
    const svg = chartToSvg({ ...bars, groups, series: [{ label: 'a', values: groups.map((_, index) => index) }] })
    checkMarkup(svg)
    assert.equal(count(svg, /transform="rotate\(-35 /g), 8)
    assert.match(svg, />a name that is[^<]*…<\/text>/)
  })

  test('labels cannot break out of the markup', () => {
    const bad = `<script>alert("1")</script> & ' \u0000\u001b[31m \ud800 ]]>`
    const svg = chartToSvg({
      ...bars,
      title: bad,
      groups: [bad, 'b'],
      y: { label: bad, unit: bad },
      series: [
        { label: bad, values: [1, 2] },
        { label: 'b', values: [1, 2] },
      ],
    })
    checkMarkup(svg)
    assert.doesNotMatch(svg, /<script/)
    assert.ok(!svg.includes('\u001b') && !svg.includes('\u0000'))
    assert.equal(escapeXml('\ud800<'), '\ufffd&lt;')
  })

  test('colours can be told from the ground, light and dark', () => {
    const luminance = (colour: string) => {
      const [red, green, blue] = [1, 3, 5].map((start) => {
        const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      }) as [number, number, number]
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const contrast = (one: string, other: string) => {
      const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
      return (high + 0.05) / (low + 0.05)
    }
    for (const { ground, ink, faint, series } of [colours.light, colours.dark]) {
      for (const colour of series) assert.ok(contrast(colour, ground) >= 3, colour)
      for (const colour of [ink, faint]) assert.ok(contrast(colour, ground) >= 4.5, colour)
      assert.equal(new Set(series).size, 8)
    }
  })
})

describe('text', () => {
  const lines = (chart: Chart, options = {}) => chartToText(chart, options).split('\n')

  test('bars lie on their side, in proportion, each with its value', () => {
    assert.deepEqual(lines(bars, { widthColumns: 40 }), [
      'Throughput by operation',
      'Throughput (operations/s)',
      'set',
      '  OrbitKV │████████▌                1.2M',
      '  Redis   │██████▍                  900k',
      'get',
      '  OrbitKV │████████████████████████ 3.4M',
      '  Redis   │                            -',
      '',
    ])
    assert.deepEqual(
      lines({ ...bars, series: [{ label: 'a', values: [5, -10] }] }, { widthColumns: 30, isAscii: true }),
      [
        'Throughput by operation',
        'Throughput (operations/s)',
        'set |              #######   5',
        'get |##############        -10',
        '',
      ],
    )
  })

  test('a single line is drawn in braille, several with a sign each', () => {
    const single = lines({ ...line, series: [line.series[0]!] }, { widthColumns: 40, heightRows: 5 })
    assert.match(single.join(''), /[\u2801-\u28ff]{5}/)
    const both = chartToText(line, { widthColumns: 40, heightRows: 9 })
    assert.match(both, /● p50 {3}○ p99/)
    assert.match(both, /●●/)
    assert.match(both, /○○/)
  })

  test('a line goes from its first point to its last', () => {
    const rising: LineChart = {
      ...line,
      x: { label: 'x', unit: '' },
      y: { label: 'y', unit: '' },
      series: [
        {
          label: 'a',
          points: [
            { x: 0, y: 0 },
            { x: 4, y: 4 },
          ],
        },
      ],
    }
    assert.deepEqual(lines(rising, { widthColumns: 30, heightRows: 3, isAscii: true }), [
      'Latency by connections',
      'y',
      '4 +                    *******',
      '2 +       *************',
      '0 +*******',
      '  +---------------------------',
      '   0            2            4',
      '   x',
      '',
    ])
  })

  test('labels give no orders to the terminal', () => {
    const bad = 'a\u001b[31m\r\nb\u202e\u0007µ→'
    for (const isAscii of [true, false]) {
      const text = chartToText({ ...bars, title: bad, groups: [bad, 'get'] }, { isAscii })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be absent
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
      if (isAscii) assert.match(text, /^[\u0000-\u007f]*$/)
      assert.equal(text.split('\n').length, 9)
    }
  })
})

describe('edge values', () => {
  const options = { widthColumns: 50 }
  const draw = (chart: Chart) => {
    const svg = chartToSvg(chart)
    checkMarkup(svg)
    return { svg, text: chartToText(chart, options), ascii: chartToText(chart, { ...options, isAscii: true }) }
  }

  test('nothing at all', () => {
    for (const chart of [
      { ...line, series: [] },
      { ...line, series: [{ label: 'a', points: [] }] },
      { ...bars, groups: [], series: [] },
      { ...bars, groups: [], series: [{ label: 'a', values: [] }] },
      { ...bars, series: [{ label: 'a', values: [undefined, undefined] }] },
    ]) {
      const { svg, text } = draw(chart)
      assert.match(svg, />no data<\/text>/)
      assert.match(text, /\(no data\)/)
    }
  })

  test('one point, zero, all the same', () => {
    const linear = { ...line, x: { label: 'x', unit: '' }, y: { label: 'y', unit: '' } }
    for (const points of [
      [{ x: 0, y: 0 }],
      [{ x: 3, y: -2 }],
      [
        { x: 1, y: 5 },
        { x: 1, y: 5 },
      ],
    ]) {
      const { svg, text } = draw({ ...linear, series: [{ label: 'a', points }] })
      assert.equal(count(svg, /<circle/g), points.length)
      assert.match(text, /[\u2801-\u28ff]/)
    }
    draw({ ...line, series: [{ label: 'a', points: [{ x: 1, y: 1 }] }] })
    draw({ ...bars, series: [{ label: 'a', values: [0, 0] }] })
    draw({ ...bars, y: { ...bars.y, scale: 'log' }, series: [{ label: 'a', values: [1e-30, 1e30] }] })
  })

  test('what is no number is refused, with its place', () => {
    const refused = (chart: Chart, message: RegExp, code = 'chart.bad_number') => {
      for (const drawer of [chartToSvg, chartToText]) assert.throws(() => drawer(chart), { code, message })
    }
    for (const value of [Number.NaN, Infinity, -Infinity, 1e31])
      refused({ ...bars, series: [{ label: 'a', values: [1, value] }] }, /"a" of "get": -?(NaN|Infinity|1e\+31) is not/)
    refused({ ...line, series: [{ label: 'a', points: [{ x: 1, y: 0 }] }] }, /y of point 0 of "a": 0 is not positive/)
    refused({ ...line, series: [{ label: 'a', points: [{ x: -1, y: 1 }] }] }, /x of point 0 of "a": -1 is not positive/)
    refused({ ...bars, y: { ...bars.y, scale: 'log' }, series: [{ label: 'a', values: [1, 0] }] }, /0 is not positive/)
    refused({ ...bars, series: [{ label: 'a', values: [1] }] }, /"a" has 1 values for 2 groups/, 'chart.bad_shape')
    const nine = Array.from({ length: 9 }, (_, index) => ({ label: `${index}`, points: [] }))
    refused({ ...line, series: nine }, /9 series are more than 8/, 'chart.bad_shape')
    const twins = [nine[0]!, nine[0]!]
    refused({ ...line, series: twins }, /two series are called "0"/, 'chart.bad_shape')
    assert.throws(() => chartToSvg(bars, { widthPixels: 10 }), { code: 'chart.bad_option', message: /widthPixels 10/ })
    assert.throws(() => chartToText(bars, { widthColumns: 12.5 }), { code: 'chart.bad_option' })
    assert.throws(() => chartToText(bars, { heightRows: 1 }), { code: 'chart.bad_option' })
  })

  test('any chart: well-formed SVG, and text within its width', () => {
    const value = fc.double({ min: 1e-30, max: 1e30, noNaN: true })
    const label = fc.string({ unit: 'binary', maxLength: 30 })
    const axis = fc.record({
      label,
      unit: fc.constantFrom('', 'bytes', 'seconds', 'share', 'USD'),
      scale: fc.constantFrom<'linear' | 'log'>('linear', 'log'),
    })
    const lineCharts = fc.record({
      kind: fc.constant('line' as const),
      title: label,
      x: axis,
      y: axis,
      series: fc.uniqueArray(
        fc.record({ label, points: fc.array(fc.record({ x: value, y: value }), { maxLength: 5 }) }),
        {
          maxLength: 8,
          selector: (one) => one.label,
        },
      ),
    })
    const barCharts = fc.array(label, { maxLength: 6 }).chain((groups) =>
      fc.record({
        kind: fc.constant('bars' as const),
        title: label,
        groups: fc.constant(groups),
        y: axis,
        series: fc.uniqueArray(
          fc.record({
            label,
            values: fc.array(fc.option(value, { nil: undefined }), {
              minLength: groups.length,
              maxLength: groups.length,
            }),
          }),
          { maxLength: 8, selector: (one) => one.label },
        ),
      }),
    )
    const widths = fc.integer({ min: 30, max: 120 })
    fc.assert(
      fc.property(fc.oneof(lineCharts, barCharts), widths, fc.boolean(), (chart, widthColumns, isAscii) => {
        checkMarkup(chartToSvg(chart))
        for (const row of chartToText(chart, { widthColumns, isAscii, heightRows: 5 }).split('\n'))
          assert.ok([...row].length <= widthColumns, row)
      }),
      { numRuns: 300 },
    )
  })
})
