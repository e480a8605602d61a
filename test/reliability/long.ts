// How long the rows are: short in `npm test`, long in `npm run chaos -- --rows`.
const isLong = process.env['CHAOS'] === 'long'

export const long = <T>(short: T, longer: T): T => (isLong ? longer : short)
