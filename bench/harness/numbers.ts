/** Numbers as people read them in a table. */

/** Three or more significant digits, thousands grouped: `1,234,567`, `56.3`, `0.214`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  const decimals = size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}
