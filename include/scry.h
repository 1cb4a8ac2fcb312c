/*
 * scry.h - the public face of libscry.
 */
#ifndef SCRY_H
#define SCRY_H

#define SCRY_VERSION "0.1.0"

#endif
