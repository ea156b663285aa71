import { defineConfig, type Plugin } from 'vite';

// GraphiQL's stylesheet carries 330 kB of fonts as data URLs; the fonts of the reader's system do (src/theme.css).
const withoutFonts: Plugin = {
  name: 'without-fonts',
  enforce: 'pre',
  transform(css, id) {
    return id.endsWith('/graphiql/dist/style.css') ? css.replace(/@font-face\s*\{[^}]*\}/g, '') : null;
  },
};

// The names in dist carry no hash, so that a rebuild shows as a change of contents: the server answers with ETags.
export default defineConfig({
  base: '/playground/',
  plugins: [withoutFonts],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      // "use client" of the libraries means nothing here, and is said a hundred times.
      checks: { moduleLevelDirective: false },
      output: {
        codeSplitting: false,
        entryFileNames: 'playground.js',
        assetFileNames: 'playground[extname]',
      },
    },
  },
  server: {
    proxy: {
      '/graphql': { target: 'http://localhost:8080', ws: true },
      '/auth': 'http://localhost:8080',
    },
  },
});
