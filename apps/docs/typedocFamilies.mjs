// One page of the API for each family of ideas: the members of a package stand under the source file they come from.
// What every module inherits is told once, at `Module`, and links to it go there.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Application, Comment, DeclarationReflection, Reflection, ReflectionKind } from 'typedoc'

const toldAt = /^(?:Module|Error)\.(.*)$/

/** @param {Application} app */
export function load(app) {
  app.on(
    Application.EVENT_PROJECT_REVIVE,
    project => {
      tellOnce(project)
      for (const pack of project.children ?? []) {
        intoFamilies(project, pack)
        pack.comment = new Comment([{ kind: 'text', text: descriptionOf(pack.name) }])
      }
      for (const reflection of below(project)) delete reflection.sources
    },
    1000, // before the groups of a page are made
  )
  app.renderer.postRenderAsyncJobs.push(async () => mendAnchors(app.options.getValue('out')))
}

/**
 * The router numbers an anchor (`#trainerstate-1`) where it takes `Trainer.state` for the same name; the heading has none.
 *
 * @param {string} out
 */
function mendAnchors(out) {
  const pages = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
  const texts = new Map(pages.map(name => [join(out, name), readFileSync(join(out, name), 'utf8')]))
  /** @param {string} page @param {string} slug */
  const headings = (page, slug) =>
    [...(texts.get(page) ?? '').matchAll(/^#+ (.*)$/gm)].filter(([, title = '']) => slugOf(title) === slug)
      .length
  for (const [page, text] of texts) {
    const mended = text.replaceAll(/\]\(([\w./-]*)#([\w-]+)-(\d+)\)/g, (link, file, slug, number) => {
      const target = file ? join(dirname(page), file) : page
      return headings(target, slug) > Number(number) || headings(target, `${slug}-${number}`)
        ? link
        : `](${file}#${slug})`
    })
    if (mended !== text) writeFileSync(page, mended)
  }
}

/** @param {string} title */
function slugOf(title) {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(/\s+/g, '-')
}

/**
 * Everything in it. (The table `project.reflections` misses some after packages are merged.)
 *
 * @param {Reflection} reflection
 * @returns {Reflection[]}
 */
function below(reflection) {
  const found = [reflection]
  reflection.traverse(child => {
    found.push(...below(child))
    return true
  })
  return found
}

/** @param {import('typedoc').ProjectReflection} project */
function tellOnce(project) {
  const all = below(project)
  const module = all.find(({ name, kind }) => name === 'Module' && kind === ReflectionKind.Class)
  /** @type {Map<Reflection, Reflection | undefined>} */
  const moved = new Map()
  for (const reflection of all) {
    const [, name] =
      toldAt.exec((reflection.inheritedFrom ?? reflection.getSignature?.inheritedFrom)?.name ?? '') ?? []
    if (!name) continue
    const told = module?.getChildByName(name)
    moved.set(reflection, told)
    for (const signature of reflection.signatures ?? []) moved.set(signature, told)
  }
  for (const { comment } of all)
    for (const parts of comment ? [comment.summary, ...comment.blockTags.map(tag => tag.content)] : [])
      for (const part of parts) if (moved.has(part.target)) part.target = moved.get(part.target)
  for (const parent of all) {
    /** @param {Reflection[] | undefined} list */
    const kept = list => list?.filter(child => !moved.has(child))
    if (parent.children) parent.children = kept(parent.children)
    if (parent.childrenIncludingDocuments)
      parent.childrenIncludingDocuments = kept(parent.childrenIncludingDocuments)
    for (const group of parent.groups ?? []) group.children = kept(group.children) ?? []
    if (parent.groups) parent.groups = parent.groups.filter(group => group.children.length > 0)
  }
}

/**
 * @param {import('typedoc').ProjectReflection} project
 * @param {DeclarationReflection} pack
 */
function intoFamilies(project, pack) {
  const members = pack.children ?? []
  pack.children = undefined
  pack.childrenIncludingDocuments = undefined
  pack.groups = undefined
  /** @type {Map<string, DeclarationReflection>} */
  const families = new Map()
  for (const member of members) {
    if (member.kind === ReflectionKind.Namespace) {
      pack.addChild(member)
      continue
    }
    const name = familyOf(member)
    let family = families.get(name)
    if (!family) {
      family = new DeclarationReflection(name, ReflectionKind.Module, pack)
      project.registerReflection(family, undefined, undefined)
      pack.addChild(family)
      families.set(name, family)
    }
    member.parent = family
    family.addChild(member)
  }
  for (const family of families.values()) family.comment = contents(family)
  for (const list of [pack.children, pack.childrenIncludingDocuments])
    list?.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * What is on a page, as links.
 *
 * @param {DeclarationReflection} family
 */
function contents({ children = [] }) {
  /** @type {import('typedoc').CommentDisplayPart[]} */
  const parts = []
  for (const target of children) {
    if (parts.length) parts.push({ kind: 'text', text: ' · ' })
    parts.push({ kind: 'inline-tag', tag: '@link', text: target.name, target })
  }
  return new Comment(parts)
}

/** @param {DeclarationReflection} member */
function familyOf(member) {
  const [, path] = /^(?:.*\bsrc\/)?(.*)\.ts$/.exec(member.sources?.[0]?.fileName ?? '') ?? []
  if (!path) throw new Error(`typedocFamilies: ${member.name} comes from no source file`)
  return path.replace(/^functional\//, '')
}

/** @param {string} name */
function descriptionOf(name) {
  const folder = new URL(`../../packages/${name.slice('@heed/'.length)}/`, import.meta.url)
  return JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')).description
}
