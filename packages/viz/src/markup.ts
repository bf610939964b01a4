/** A piece of SVG or HTML that is already escaped. Only {@link element} and {@link group} make it. */
export interface Markup {
  readonly markup: string
}

/** What an attribute may hold; `undefined` and `false` leave it out, `true` writes it bare. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** A child of an element: strings are escaped. */
export type Child = Markup | string

/**
 * An element of SVG or HTML, with text and attributes escaped.
 *
 * Without `children` it closes itself (`<rect …/>`), which HTML allows for its void elements only.
 */
export function element(name: string, attributes: Attributes, children?: readonly Child[]): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([key, value]) => (value === true ? ` ${key}` : ` ${key}="${escapeAttribute(String(value))}"`))
    .join('')
  if (children === undefined) return { markup: `<${name}${written}/>` }
  return { markup: `<${name}${written}>${group(children).markup}</${name}>` }
}

/** Several children as one. */
export function group(children: readonly Child[]): Markup {
  return {
    markup: children.map(child => (typeof child === 'string' ? escapeText(child) : child.markup)).join(''),
  }
}

/**
 * A string that SVG and HTML show as it is.
 *
 * Characters that XML forbids even when escaped become visible: control characters as control pictures (`␀`), half
 * surrogate pairs and non-characters as `�`.
 */
export function escapeText(text: string): string {
  return legal(text).replace(/[&<>]/g, character => entities[character] ?? character)
}

/** A string that can stand between double quotes as an attribute's value. */
export function escapeAttribute(text: string): string {
  return legal(text).replace(/[&<>"'\t\n\r]/g, character => entities[character] ?? character)
}

/**
 * A value as JSON that can stand inside a `<script>` element: no `</script>` and no `<!--` can end or change it.
 */
export function scriptJson(value: unknown): Markup {
  return {
    markup: JSON.stringify(value)
      .replaceAll('<', '\\u003c')
      .replaceAll('>', '\\u003e')
      .replaceAll('&', '\\u0026')
      .replaceAll('\u2028', '\\u2028')
      .replaceAll('\u2029', '\\u2029'),
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** The text without what XML 1.0, §2.2, forbids; tab, line feed and carriage return stay. */
function legal(text: string): string {
  return text.replace(/\p{Surrogate}|[\uFFFE\uFFFF]/gu, '\uFFFD').replace(/\p{Control}/gu, character => {
    const code = character.charCodeAt(0)
    if (code === 9 || code === 10 || code === 13) return character
    return controlPicture(code)
  })
}

/** The visible sign of a control character: `␀` … `␟`, `␡`, and `�` for those above. */
export function controlPicture(code: number): string {
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : '\uFFFD'
}
