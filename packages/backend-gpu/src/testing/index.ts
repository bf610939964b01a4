export { type SoftwareAdapter, useSoftwareAdapter } from './softwareAdapter.ts'
