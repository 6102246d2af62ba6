/* Writes a JPEG in the arithmetic code with unusual conditioning (a DAC segment), from a PPM on standard input:
 * cc make_conditioned.c -ljpeg -o make_conditioned && ./make_conditioned < photo.ppm > arithmetic-conditioned.jpg */
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>

int main(void) {
  int width, height, most;
  if (scanf("P6 %d %d %d", &width, &height, &most) != 3) return 1;
  getchar();
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, stdout);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg.arith_code = TRUE;
  jpeg.arith_dc_L[0] = 1, jpeg.arith_dc_U[0] = 4, jpeg.arith_ac_K[0] = 12;
  jpeg.arith_dc_L[1] = 2, jpeg.arith_dc_U[1] = 2, jpeg.arith_ac_K[1] = 2;
  jpeg_start_compress(&jpeg, TRUE);
  JSAMPROW row = malloc(3 * width);
  while (fread(row, 3, width, stdin) == (size_t)width) jpeg_write_scanlines(&jpeg, &row, 1);
  jpeg_finish_compress(&jpeg);
  return 0;
}
