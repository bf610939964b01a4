/// <reference types="vite/client" />
import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme-without-fonts'
import { type Component, defineAsyncComponent, h } from 'vue'
import './style.css'

// Every Name.vue here is <Name />, on any page, and is fetched by the pages that use it.
const files = import.meta.glob<{ default: Component }>(['./home/*.vue', './facts/*.vue', './live/*.vue'])
const components = new Map(
  Object.entries(files).map(([path, load]) => [
    /([^/]+)\.vue$/.exec(path)?.[1] ?? path,
    defineAsyncComponent(async () => (await load()).default),
  ]),
)

const theme: Theme = {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, { 'home-hero-image': () => h(components.get('HomePicture') as Component) }),
  enhanceApp({ app }) {
    for (const [name, component] of components) app.component(name, component)
  },
}

export { theme as default }
