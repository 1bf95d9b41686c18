// SPDX-License-Identifier: MIT
// Three files with fixed names, each also as .gz, which the processor serves as it is (processor/api/page.c).
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

// Their licences ask to be in each copy.
const licences: Plugin = {
  name: 'licences',
  apply: 'build',
  enforce: 'post', // behind what takes comments out
  generateBundle(_, bundle) {
    const texts = ['preact', 'uplot'].map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf-8')}`)
    for (const file of Object.values(bundle)) if (file.type === 'chunk') file.code = `/*\n${texts.join('\n')}*/\n${file.code}`
  },
}

const gzip: Plugin = {
  name: 'gzip',
  apply: 'build',
  writeBundle(options, bundle) {
    for (const name of Object.keys(bundle)) {
      const file = join(options.dir!, name)
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
    }
  },
}

export default defineConfig({
  base: './', // a proxy may serve it below a path
  plugins: [licences, gzip],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: { output: { entryFileNames: 'app.js', assetFileNames: 'app.[ext]' } },
  },
  // `npm run dev` beside `./dev up`: the page from here, the API from there.
  server: { proxy: { '/v1': process.env.DOCHAK_PROCESSOR_URL ?? 'http://127.0.0.1:8081' } },
})
