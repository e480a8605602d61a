// What `npm run chaos` runs, with everything else as in `npm test`.
module.exports = {
  ...require('../../jest.config.js'),
  rootDir: '../..',
  // What was found is told, and the run ends, whatever a fault has left open.
  forceExit: true,
  testMatch: ['<rootDir>/test/chaos/*.chaos.ts'],
}
