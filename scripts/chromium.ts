/** Where the browser of the browser tests is. */
export const chromium: string = process.env.CHROMIUM ?? '/usr/bin/chromium'
