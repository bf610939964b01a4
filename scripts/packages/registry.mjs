// An npm registry for the packed packages, on this machine alone: so that an empty project installs them by name, as
// everybody will, and `npm publish` has somewhere to go when it is tried.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { parseTar } from './tar.mjs'

/**
 * @param {readonly Buffer[]} tarballs
 * @returns {Promise<{ url: string, published: string[], close(): void }>}
 */
export async function startRegistry(tarballs) {
  /** @type {Map<string, Map<string, { manifest: Record<string, unknown>, tarball: Buffer }>>} */
  const packages = new Map()
  const published = []
  const add = tarball => {
    const manifest = manifestOf(tarball)
    const versions = packages.get(manifest.name) ?? new Map()
    versions.set(manifest.version, { manifest, tarball })
    packages.set(manifest.name, versions)
    return `${manifest.name}@${manifest.version}`
  }
  for (const tarball of tarballs) add(tarball)

  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, url).pathname)
    const [, name, version] = /^\/(@[^/]+\/[^/]+?)(?:\/-\/(.+)\.tgz)?$/.exec(path) ?? []
    if (request.method === 'PUT') {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      const { _attachments } = JSON.parse(Buffer.concat(chunks).toString())
      for (const { data } of Object.values(_attachments)) published.push(add(Buffer.from(data, 'base64')))
      return response.writeHead(201, { 'content-type': 'application/json' }).end('{"ok":true}')
    }
    const versions = packages.get(name)
    if (!versions) return response.writeHead(404).end('{}')
    if (version) return response.end(versions.get(version)?.tarball)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(packument(name, versions, url)))
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  return { url, published, close: () => server.close() }
}

/** The package.json within a tarball. */
export function manifestOf(tarball) {
  return JSON.parse(parseTar(gunzipSync(tarball)).get('package/package.json').toString())
}

function packument(name, versions, url) {
  const long = '2000-01-01T00:00:00.000Z' // pnpm refuses what is a few hours old
  return {
    name,
    'dist-tags': { latest: [...versions.keys()].at(-1) },
    time: Object.fromEntries([...versions.keys()].map(version => [version, long])),
    versions: Object.fromEntries(
      [...versions].map(([version, { manifest, tarball }]) => [
        version,
        {
          ...manifest,
          dist: {
            tarball: `${url}/${name}/-/${version}.tgz`,
            integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
            shasum: createHash('sha1').update(tarball).digest('hex'),
          },
        },
      ]),
    ),
  }
}
