/** What somebody asked for is not there. The page says so, with status 404. */
export class NotFound extends Error {}
