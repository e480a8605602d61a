// What `npm run chaos` runs, with everything else as in `npm test`.
module.exports = {
  ...require('../../jest.config.js'),
  rootDir: '../..',
  testMatch: ['<rootDir>/test/chaos/*.chaos.ts'],
}
