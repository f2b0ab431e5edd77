/**
 * Tidy rule: a relative link in a Markdown file leads to a file or folder that exists, and one with an anchor to a
 * heading that does.
 */

import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { existsInRepository, fileNamed, repositoryFiles, type SourceFile } from './repository.ts'

/** Broken relative links; `exists` tells whether a path relative to the root does. */
export function checkLinks(files: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  const textOf = new Map(files.map(({ path, text }) => [path, text]))
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      linksIn(text).flatMap((link) => {
        const [relative = '', anchor] = link.split('#')
        const target = relative === '' ? path : posix.join(posix.dirname(path), relative)
        if (!exists(target)) return [`${path}: links to ${link}, which does not exist`]
        const targetText = textOf.get(target)
        if (anchor === undefined || targetText === undefined || anchorsIn(targetText).has(anchor)) return []
        return [`${path}: links to ${link}, but ${target} has no such heading`]
      }),
    )
}

/** Relative links outside code. */
function linksIn(markdown: string): string[] {
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '')
  const links = [...prose.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm)]
  return links.map((match) => match[1] ?? match[2] ?? '').filter((link) => !/^([a-z+]+:|\/\/)/.test(link))
}

/** What GitHub makes of headings: lower case, blanks to hyphens, punctuation dropped. */
function anchorsIn(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map((match) => match[1] ?? '')
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

test('relative links in Markdown lead somewhere', () => {
  assert.deepEqual(checkLinks(repositoryFiles(), existsInRepository), [])
})

test('canary: broken links are found', () => {
  const exists = (path: string) => path === 'docs/b.md' || path === 'docs/a.md'
  const target = fileNamed('docs/b.md', '## Two words, and `code`\n')
  const check = (text: string) => checkLinks([fileNamed('docs/a.md', text), target], exists)
  assert.equal(check('[x](c.md)').length, 1)
  assert.equal(check('[x](b.md#three)').length, 1)
  assert.equal(check('[x]: ../c.md').length, 1)
  assert.deepEqual(check('[x](b.md#two-words-and-code) `[y](c.md)` [z](https://a.b/c)\n```\n[x](c.md)\n```\n'), [])
})
