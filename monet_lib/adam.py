"""Adam in one pass: TensorFlow's fused kernel, where Keras' own makes some twenty passes over the weights."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("monet_lib")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` (Kingma & Ba 2015) with the same state and results, each weight updated by one operation.

    For dense gradients, without amsgrad.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable and its two moments in place."""
        place = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )
