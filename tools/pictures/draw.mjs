// Boxes, lines and arrows of a picture. Colours are told apart also by those who do not see all of them (Okabe and Ito).

export const COLORS = {
  ground: '#ffffff',
  ink: '#1b1f24',
  faint: '#57606a',
  box: '#f3f6f9',
  ours: '#d6e9f8',
  redis: '#fde8d7',
  line: '#8c959f',
  accent: '#0072b2',
}

const FONT = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"'
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Words; `over` lines that cross them. */
export function text(
  x,
  y,
  words,
  { size = 13, color = COLORS.ink, anchor = 'middle', bold = false, mono = false, over = false } = {},
) {
  const font = mono ? 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"' : FONT
  return `<text x="${x}" y="${y}" ${font} font-size="${size}" fill="${color}" text-anchor="${anchor}"${bold ? ' font-weight="600"' : ''}${over ? ` paint-order="stroke" stroke="${COLORS.ground}" stroke-width="5"` : ''}>${escaped(words)}</text>`
}

/** A box with lines of text in its middle; the first is bold. */
export function box(x, y, width, height, lines, { fill = COLORS.box, dashed = false } = {}) {
  const first = y + height / 2 - ((lines.length - 1) * 17) / 2 + 5
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${COLORS.line}"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`,
    ...lines.map((line, i) =>
      text(x + width / 2, first + i * 17, line, {
        bold: i === 0,
        color: i === 0 ? COLORS.ink : COLORS.faint,
      }),
    ),
  ].join('\n')
}

/** A straight arrow, with words above its middle. */
export function arrow(x1, y1, x2, y2, words, { color = COLORS.accent, dashed = false } = {}) {
  const line = `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}" stroke-width="1.5" marker-end="url(#tip)"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`
  return words === undefined
    ? line
    : `${line}\n${text((x1 + x2) / 2, (y1 + y2) / 2 - 8, words, { size: 12, over: true })}`
}

export const line = (x1, y1, x2, y2) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${COLORS.line}" stroke-dasharray="4 4"/>`

export function picture(width, height, title, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="${COLORS.accent}"/></marker></defs>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${COLORS.ground}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}
