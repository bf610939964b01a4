import { existsSync } from 'node:fs'
import { themeProperties } from '@heed/viz'
import { defineConfig } from 'vitepress'
import { devServer, loadedLater } from './devServer.ts'
import { included } from './included.ts'
import { math } from './math.ts'
import { apiSidebars, lessonItems } from './sidebar.ts'

const guide = [
  {
    text: 'Begin',
    items: [
      { text: 'Install', link: '/guide/install' },
      { text: 'A first model', link: '/guide/first-model' },
      { text: 'Tensors and gradients', link: '/guide/tensors' },
    ],
  },
  {
    text: 'Attention',
    items: [
      { text: 'Attention in ten lines', link: '/guide/attention' },
      { text: 'Look into any model', link: '/guide/looking' },
    ],
  },
  {
    text: 'Work',
    items: [
      { text: 'Training and checkpoints', link: '/guide/training' },
      { text: 'Backends', link: '/guide/backends' },
      { text: 'A GPU in a worker', link: '/guide/gpu-worker' },
      { text: 'Data', link: '/guide/data' },
      { text: 'The command heed', link: '/guide/cli' },
    ],
  },
  {
    text: 'Help',
    items: [
      { text: 'Coming from PyTorch, Keras, TensorFlow.js', link: '/guide/coming-from' },
      { text: 'Troubleshooting by message', link: '/guide/troubleshooting' },
      ...(existsSync(new URL('../guide/support.md', import.meta.url))
        ? [{ text: 'What is supported', link: '/guide/support' }]
        : []),
    ],
  },
]

const facts = [
  {
    text: 'Facts',
    items: [
      { text: 'Results', link: '/facts/results' },
      { text: 'On real data', link: '/facts/real-data' },
      { text: 'Benchmark', link: '/facts/benchmark' },
      { text: 'Operations and backends', link: '/facts/operations' },
      { text: 'Beside other libraries', link: '/facts/comparison' },
      { text: 'References', link: '/facts/references' },
    ],
  },
]

export default defineConfig({
  title: 'Heed',
  description:
    'Attention models in TypeScript: build, train, explain and ship them, in Node and in the browser.',
  lang: 'en',
  base: process.env.HEED_BASE ?? '/',
  srcExclude: ['README.md'],
  ignoreDeadLinks: process.env.HEED_DRAFT === '1', // while pages are being written
  head: [
    ['link', { rel: 'icon', href: `${process.env.HEED_BASE ?? '/'}icon.svg`, type: 'image/svg+xml' }],
    ['style', {}, `:root{${themeProperties()}}`],
  ],
  transformPageData: page =>
    page.relativePath.startsWith('api/')
      ? { frontmatter: { ...page.frontmatter, outline: 2, pageClass: 'api-page' } }
      : undefined,
  themeConfig: {
    logo: '/icon.svg',
    nav: [
      { text: 'Guide', link: '/guide/install', activeMatch: '/guide/' },
      { text: 'Lessons', link: '/lessons/', activeMatch: '/lessons/' },
      { text: 'Playground', link: '/playground' },
      { text: 'Viewer', link: '/viewer' },
      { text: 'Facts', link: '/facts/results', activeMatch: '/facts/' },
      { text: 'API', link: '/api/', activeMatch: '/api/' },
    ],
    sidebar: { '/guide/': guide, '/facts/': facts, '/lessons/': lessonItems(), ...apiSidebars() },
    outline: [2, 3],
    search: { provider: 'local' },
    footer: { message: 'MIT licence' },
  },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: md => {
      math(md)
      included(md)
    },
  },
  vite: {
    plugins: [devServer()],
    optimizeDeps: { include: loadedLater },
    worker: { format: 'es' }, // the workers of the lessons import in parts
    build: { chunkSizeWarningLimit: 6000 }, // the index of the search, fetched when somebody searches
  },
})
