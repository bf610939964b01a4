// files by network, kept by the browser
export { type CacheOptions, download, downloads } from './cache.ts'
