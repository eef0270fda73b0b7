import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [sveltekit()],
  // In this repository authstate is TypeScript, which Node loads by itself. With the package from npm this is not needed.
  ssr: { external: ['authstate'], resolve: { externalConditions: ['@authstate/source', 'node'] } },
})
