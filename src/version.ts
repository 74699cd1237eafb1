/** This package's version, as metric signatures and model folders name it; a test holds it equal to package.json. */
export const VERSION = '0.1.0';
