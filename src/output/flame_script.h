/*
 * flame_script.h - the parts of a flame graph that are the same in all: its style and what it
 * does when it is clicked and searched.
 */
#ifndef SCRY_OUTPUT_FLAME_SCRIPT_H
#define SCRY_OUTPUT_FLAME_SCRIPT_H

extern const char flame_style[];  /* a <style> element */
extern const char flame_script[]; /* a <script> element; expects the ids of flame.c */

#endif
