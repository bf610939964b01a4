// files by network, kept in a folder
export { type CacheOptions, cacheFolder, download, downloads } from './cache.ts'
// files at hand
export { folder } from './folder.ts'
