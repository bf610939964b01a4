// files that a browser keeps
export { type BrowserFolder, browserFolder, type FolderHome, type FolderOptions } from './folder.ts'
export { StorageError, type StorageReason } from './storageError.ts'
